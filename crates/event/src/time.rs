//! Points in time: microseconds since 1970-01-01 UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 in UTC with six digits of fraction, cut to whole seconds where the fraction
/// is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest representable time that prints as RFC 3339 (year 0001).
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000_000);
    /// The latest representable time that prints as RFC 3339 (year 9999).
    pub const MAX: Timestamp = Timestamp(253_402_207_200_999_999);
    /// Microseconds in one second.
    pub const SECOND: i64 = 1_000_000;
    /// Microseconds in one day.
    pub const DAY: i64 = 86_400 * Self::SECOND;

    /// From microseconds since the epoch, clamped to the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Timestamp(micros)
        }
    }

    /// From whole seconds since the epoch, clamped to the years 1 to 9999.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(Self::SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This time plus so many microseconds (which may be negative), clamped.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this time; negative when `earlier` is later.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the bucket of `width` microseconds that holds this time.
    ///
    /// Buckets are aligned to the epoch. A `width` below one is taken as one.
    pub const fn floor_to(self, width: i64) -> Self {
        let width = if width < 1 { 1 } else { width };
        Self::from_micros(self.0.div_euclid(width).saturating_mul(width))
    }

    /// Whole days since the epoch, rounded down: the key of the day that holds this time.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Timestamp::from_micros(time.as_microsecond())
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        time.to_jiff()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Howard Hinnant's civil-from-days, in the integer form that needs no table.
        let days = self.day() + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let in_day = self.0.rem_euclid(Self::DAY);
        let (seconds, micros) = (in_day / Self::SECOND, in_day % Self::SECOND);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}

/// A text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTimestamp(
    /// The text as given.
    pub String,
);

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no time, expected RFC 3339 such as 2026-01-31T12:00:00Z or 2026-01-31",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidTimestamp {}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339 (a time without an offset is UTC), or a date alone, which is its midnight UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(time.into());
        }
        if let Ok(civil) = text.parse::<jiff::civil::DateTime>()
            && let Ok(zoned) = civil.to_zoned(jiff::tz::TimeZone::UTC)
        {
            return Ok(zoned.timestamp().into());
        }
        Err(InvalidTimestamp(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_jiff_does() {
        for micros in [0, 1, -1, 951_826_155_000_000, 1_795_227_972_762_221, 4_102_444_799_999_999]
        {
            let time = Timestamp::from_micros(micros);
            let expected = jiff::Timestamp::from_microsecond(micros).unwrap();
            assert_eq!(time.to_string().parse::<jiff::Timestamp>().unwrap(), expected);
            assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }

    #[test]
    fn extremes_print_and_read_back() {
        for time in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn reads_offsets_and_dates() {
        let expected = Timestamp::from_seconds(1_706_702_400);
        for text in ["2024-01-31T12:00:00Z", "2024-01-31T14:00:00+02:00", "2024-01-31T12:00:00"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("2024-01-31".parse(), Ok(expected.floor_to(Timestamp::DAY)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
