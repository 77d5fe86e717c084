//! Placeholders: words that stand in a field only because it wanted some.

use std::collections::{BTreeMap, BTreeSet};

/// What people type when they have nothing to say.
const PLACEHOLDERS: [&str; 24] = [
    "na",
    "none",
    "nil",
    "null",
    "test",
    "testing",
    "tests",
    "tbd",
    "todo",
    "unknown",
    "pending",
    "asdf",
    "qwerty",
    "xxx",
    "abc",
    "investigation",
    "case",
    "reason",
    "search",
    "seeabove",
    "seereport",
    "asrequested",
    "lorem",
    "ipsum",
];
/// Digits that nobody counts up to.
const COUNTED_UP: &str = "1234567890";
/// What somebody is called, without saying who it is.
const TITLES: [&str; 20] = [
    "mr",
    "mrs",
    "ms",
    "det",
    "detective",
    "ofc",
    "officer",
    "po",
    "sgt",
    "sergeant",
    "lt",
    "lieutenant",
    "capt",
    "captain",
    "supervisor",
    "requester",
    "operator",
    "someone",
    "anyone",
    "me",
];

/// Letters and digits alone, in lower case.
pub(super) fn bare(words: &str) -> String {
    words.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words in lower case, without what stands between them.
pub(super) fn words_of(words: &str) -> Vec<String> {
    words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether nothing is said: no letter or digit, one of them over and over, or placeholders only.
pub(super) fn says_nothing(words: &str) -> bool {
    let bare = bare(words);
    let one_over_and_over = bare.chars().all(|c| bare.starts_with(c));
    let placeholder =
        |word: &String| PLACEHOLDERS.contains(&word.as_str()) || word.chars().count() == 1;
    one_over_and_over
        || PLACEHOLDERS.contains(&bare.as_str())
        || words_of(words).iter().all(placeholder)
}

/// Whether a name names nobody: a placeholder, a title without a name, no letters.
pub(super) fn names_nobody(name: &str) -> bool {
    let title =
        |word: &String| TITLES.contains(&word.as_str()) || PLACEHOLDERS.contains(&word.as_str());
    says_nothing(name)
        || words_of(name).iter().all(title)
        || name.chars().filter(|c| c.is_alphabetic()).count() < 2
}

/// Whether a number isn't one: nothing said, no digit, or digits counted up from 1. A number may
/// well be one digit over and over, as badges are, but not zeros.
pub(super) fn numbers_nothing(number: &str) -> bool {
    let bare = bare(number);
    let counted_up = bare.len() > 3 && COUNTED_UP.starts_with(&bare);
    !bare.chars().any(|c| c.is_ascii_digit()) || bare.chars().all(|c| c == '0') || counted_up
}

/// Whether one character, word or phrase stands there over and over, or most of the words twice.
pub(super) fn repeats(words: &str) -> bool {
    let letters: Vec<char> = bare(words).chars().collect();
    let words = words_of(words);
    let mut times = BTreeMap::<&String, usize>::new();
    words.iter().for_each(|word| *times.entry(word).or_default() += 1);
    let one_word = words.len() > 1 && times.values().any(|times| 2 * times > words.len());
    let twice = longest_twice(&words);
    one_word || 2 * period(&letters) <= letters.len() || twice > 1 && 4 * twice > words.len()
}

/// How many different words are said that stand in none of the other fields and are more than a
/// letter or a placeholder.
pub(super) fn own_words(words: &str, others: &[&str]) -> usize {
    let theirs: BTreeSet<String> = others.iter().flat_map(|other| words_of(other)).collect();
    let own = |word: &String| {
        word.chars().count() > 1 && !PLACEHOLDERS.contains(&word.as_str()) && !theirs.contains(word)
    };
    words_of(words).into_iter().filter(own).collect::<BTreeSet<_>>().len()
}

/// After how many letters a text begins again and goes on so to its end; its whole length if it
/// never does.
fn period(letters: &[char]) -> usize {
    // The longest start of the text that is also an end of what was read so far, by the prefix
    // function of Knuth, Morris and Pratt.
    let mut borders = vec![0; letters.len()];
    for at in 1..letters.len() {
        let mut border = borders[at - 1];
        while border > 0 && letters[border] != letters[at] {
            border = borders[border - 1];
        }
        borders[at] = border + usize::from(letters[border] == letters[at]);
    }
    letters.len() - borders.last().copied().unwrap_or(0)
}

/// The most words in a row that stand there twice without overlapping.
fn longest_twice(words: &[String]) -> usize {
    // `runs[b]`: how many words before `a` and before `b` are the same, of which `b - a` at most
    // don't overlap.
    let mut runs = vec![0; words.len() + 1];
    let mut longest = 0;
    for a in 1..=words.len() {
        for b in (a + 1..=words.len()).rev() {
            runs[b] = if words[a - 1] == words[b - 1] { runs[b - 1] + 1 } else { 0 };
            longest = longest.max(runs[b].min(b - a));
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_told_from_what_says_little() {
        for hollow in [
            "",
            "...",
            "n/a",
            "N / A",
            "unknown",
            "test case",
            "TBD",
            "xxxx",
            "0000",
            "a b c",
            "see above",
            "None - unknown",
        ] {
            assert!(says_nothing(hollow), "{hollow}");
        }
        for said in ["CCTV", "store camera", "unknown store", "22nd Circuit", "witness"] {
            assert!(!says_nothing(said), "{said}");
        }
    }

    #[test]
    fn a_title_is_no_name_and_a_row_of_digits_no_number() {
        for nobody in ["Detective", "Det. Sgt.", "?", "unknown officer", "7", "Q"] {
            assert!(names_nobody(nobody), "{nobody}");
        }
        assert!(!names_nobody("Det. A. Ortiz") && !names_nobody("Lulu") && !names_nobody("Ng"));
        for nothing in ["", "-", "abc", "0000", "00-000000", "1234", "12-345", "123456789"] {
            assert!(numbers_nothing(nothing), "{nothing}");
        }
        assert!(
            !numbers_nothing("26-004711")
                && !numbers_nothing("7")
                && !numbers_nothing("1111")
                && !numbers_nothing("123")
        );
    }

    #[test]
    fn what_stands_there_over_and_over_is_found_and_plain_prose_is_not() {
        for repeated in [
            "aaaaaaaaaaaaaaa",
            "asdf asdfasd fasdf",
            "robbery robbery robbery",
            "Robbery at Grand. robbery, at GRAND",
            "robbery at Grand and Gravois robbery at Grand and Gravois thanks",
            "please: robbery at Grand, robbery at Grand",
            "the robbery the the suspect the",
        ] {
            assert!(repeats(repeated), "{repeated}");
        }
        for prose in [
            "robbery at Grand and Gravois, suspect on store camera",
            "burglary of a shop; the man on the camera took the till and left by the back door, \
             and the shop next door saw the man leave by the back door",
            "on 3 May and on 4 May the same person sold stolen phones in front of the station",
        ] {
            assert!(!repeats(prose), "{prose}");
        }
    }

    #[test]
    fn own_words_are_those_that_no_other_field_has() {
        assert_eq!(
            own_words(
                "26-004711 store camera, exported still",
                &["26-004711", "store camera, exported still"]
            ),
            0
        );
        assert_eq!(
            own_words(
                "robbery suspect on store camera",
                &["26-004711", "store camera, exported still"]
            ),
            3
        );
    }
}
