//! Which passwords are good enough.

use crate::error::ApiError;

/// The fewest characters.
const MIN: usize = 10;

/// Long enough, and among the first that are tried all the same; in lower case.
const WORST: [&str; 40] = [
    "1234567890",
    "0123456789",
    "0987654321",
    "9876543210",
    "12345678910",
    "123456789a",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "q1w2e3r4t5",
    "qwertyuiop",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "asdfghjkl;",
    "asdfghjkl1",
    "zaq12wsxcde3",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passw0rd123",
    "p@ssw0rd123",
    "p@ssword123",
    "mypassword",
    "changeme123",
    "changeme1234",
    "letmein123",
    "letmein1234",
    "welcome123",
    "welcome1234",
    "iloveyou12",
    "iloveyou123",
    "administrator",
    "admin12345",
    "admin123456",
    "abcdefghij",
    "abcd123456",
    "bergfried1",
    "bergfried123",
    "monitoring",
];

/// Refuses a new password that would be guessed.
///
/// # Errors
/// 400 that says why; it never repeats the password.
pub(crate) fn check(password: &str, name: &str) -> Result<(), ApiError> {
    let refused = |why: &str| Err(ApiError::invalid(format!("`password` {why}")));
    let mut letters = password.chars();
    let first = letters.next();
    if password.chars().count() < MIN {
        return refused("must have at least 10 characters");
    }
    let lower = password.to_lowercase();
    if WORST.contains(&lower.as_str()) || letters.all(|letter| Some(letter) == first) {
        return refused("is one of the first that are tried, choose another one");
    }
    let name = name.to_lowercase();
    if name.chars().count() >= 3 && lower.replace(&name, "").chars().count() < 4 {
        return refused("is nearly the name, choose another one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_known_or_the_name_is_refused() {
        for (password, name, good) in [
            ("correct horse", "ann", true),
            ("wörter über", "ann", true),
            ("ten chars!", "ann", true),
            ("nine char", "ann", false),
            ("üüüüüüüüüü", "ann", false),
            ("Password123", "ann", false),
            ("qwertyuiop", "ann", false),
            ("Annegret.Muster1", "annegret.muster", false),
            ("annegret.muster", "annegret.muster", false),
            ("ann and much more", "ann", true),
            ("", "ann", false),
        ] {
            assert_eq!(check(password, name).is_ok(), good, "{password}");
        }
        assert!(
            WORST
                .iter()
                .all(|worst| worst.chars().count() >= MIN && worst.to_lowercase() == *worst)
        );
    }
}
