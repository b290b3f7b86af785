//! Where reading goes on: behind which row, and how to know that row again.

/// Behind the row of this id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Zero: before every row.
    pub(super) id: i64,
    /// When that query was asked, microseconds since 1970.
    pub(super) micros: i64,
    /// A hash over what was asked, and by whom: ids are given anew once a database is.
    pub(super) row: String,
}

impl Place {
    pub(super) fn new(id: i64, micros: i64, asked: &[&[u8]]) -> Place {
        let mut hasher = blake3::Hasher::new();
        for part in asked {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let row = hasher.finalize().to_hex().chars().take(16).collect();
        Place { id, micros, row }
    }

    /// As the spool keeps it.
    pub(super) fn to_text(&self) -> String {
        format!("{} {} {}", self.id, self.micros, self.row)
    }

    pub(super) fn from_text(text: &str) -> Option<Place> {
        let mut words = text.split(' ');
        let (id, micros) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Place { id, micros, row: words.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_again_after_a_restart() {
        let row = Place::new(7, -3, &[b"ads.example", b"192.168.1.20"]);
        for place in [row.clone(), Place::default()] {
            assert_eq!(Place::from_text(&place.to_text()), Some(place));
        }
        assert_ne!(row, Place::new(7, -3, &[b"ads.example1", b"92.168.1.20"]));
        assert_eq!(Place::from_text("seven"), None);
    }
}
