//! Subjects that look like the same person. Who may not approve a request must not be able to by a subject that people
//! take for another spelling of it, or that they cannot tell from another one.

use crate::ids::Subject;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

impl Subject {
    /// True if both may name the same person: they differ at most by case, width, white space, marks without a width,
    /// and characters that look alike (Unicode TS 39).
    pub fn is_same_person(&self, other: &Self) -> bool {
        let (own, other) = (spellings(self.as_str()), spellings(other.as_str()));
        own.iter().zip(&other).any(|(own, other)| own == other)
    }
}

/// Returns a subject's forms, of which one is equal for subjects that are the same. Case and likeness need different
/// ones: `I` looks like `l`, and is the capital of `i`.
fn spellings(subject: &str) -> [String; 3] {
    let wide: String = subject.nfkc().collect();
    let text = wide.split_whitespace().collect::<Vec<_>>().join(" ");
    let alike = |text: &str| -> String {
        // A mark without a width may hide a space beside another one.
        let alike: String = skeleton(text).collect();
        alike.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let capitals: String = text.chars().flat_map(char::to_uppercase).collect();
    [alike(&folded(&text)), folded(&alike(&text)), folded(&alike(&capitals))]
}

/// Folds the case. The way over capitals unites letters with several small forms, as `ß` and `ss`.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|subject| subject.parse::<Subject>().unwrap());
        assert_eq!(one.is_same_person(&other), other.is_same_person(&one), "{one} and {other}");
        one.is_same_person(&other)
    }

    #[test]
    fn another_spelling_is_the_same_person() {
        let spellings = [
            ("case", "ANN@Example.org"),
            ("spaces around", "  ann@example.org\u{a0}"),
            ("Cyrillic", "\u{430}nn@example.org"),
            ("capital Cyrillic", "\u{410}NN@EXAMPLE.ORG"),
            ("Greek", "ann@example.\u{3bf}rg"),
            ("full width", "\u{ff41}nn\u{ff20}example.org"),
            ("zero width", "a\u{200b}n\u{200d}n@example.org\u{feff}"),
            ("direction", "\u{202e}ann@example.org"),
            ("soft hyphen", "an\u{ad}n@example.org"),
            ("variation", "ann\u{fe0f}@example.org"),
            ("mathematical", "\u{1d41a}nn@example.org"),
        ];
        for (what, other) in spellings {
            assert!(same("ann@example.org", other), "{what}: {other:?}");
        }
        for (one, other) in [
            ("jos\u{e9}", "jose\u{301}"),
            ("Ian", "lan"),
            ("Ian", "IAN"),
            ("Ian", "ian"),
            ("b0b", "bOb"),
            ("BOB", "\u{412}\u{41e}\u{412}"),
            ("bob", "\u{412}\u{41e}\u{412}"),
            ("stra\u{df}e", "STRASSE"),
            ("mary ann", "Mary\u{3000} Ann"),
            ("mark", "rnark"),
        ] {
            assert!(same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn other_names_are_other_people() {
        for (one, other) in [
            ("ann", "anne"),
            ("ann", "hann"),
            ("ann@example.org", "ann@example.com"),
            ("mary ann", "maryann"),
            ("jos\u{e9}", "jose"),
            ("dev", "sec"),
            ("ci-1", "ci-2"),
            ("\u{674e}\u{660e}", "\u{674e}\u{5a1c}"),
        ] {
            assert!(!same(one, other), "{one} and {other}");
        }
    }

    proptest! {
        #[test]
        fn every_subject_is_itself_in_any_case(name in "\\PC{1,40}") {
            let parsed: Result<Subject, _> = name.parse();
            prop_assume!(parsed.is_ok());
            prop_assert!(same(&name, &name));
            let (upper, lower) = (name.to_uppercase(), name.to_lowercase());
            if [&upper, &lower].into_iter().all(|name| name.parse::<Subject>().is_ok()) {
                prop_assert!(same(&name, &upper), "{}", upper);
                prop_assert!(same(&name, &lower), "{}", lower);
            }
        }
    }
}
