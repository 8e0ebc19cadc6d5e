//! Enums that are words: in the store, in the API and in messages a variant is the one word that is declared for it.

use std::fmt;

/// A text that is not one of an enum's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected_kind}; expected one of {}", value.escape_default(), Backticked(expected))]
pub struct UnknownWord {
    /// The text.
    pub value: String,
    /// The enum with its article, for example `a scope`.
    pub expected_kind: &'static str,
    /// The enum's words, in the declared order.
    pub expected: &'static [&'static str],
}

struct Backticked<'a>(&'a [&'static str]);

impl fmt::Display for Backticked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}`{word}`")?;
        }
        Ok(())
    }
}

/// Declares an enum with a word for each variant: `ALL`, `WORDS` and `as_str`, `Display` and `FromStr`, `Serialize` and
/// `Deserialize`. `FromStr` compares words as they are, or by `eq_ignore_ascii_case` if that is declared.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $kind:literal, $equals:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All variants, in the declared order.
            pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$variant),+];
            /// The words of all variants, in the declared order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of the variant.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::word_enum::UnknownWord;

            fn from_str(value: &str) -> Result<Self, $crate::word_enum::UnknownWord> {
                let found = Self::ALL.into_iter().find(|variant| variant.as_str().$equals(value));
                found.ok_or_else(|| $crate::word_enum::UnknownWord {
                    value: value.to_owned(),
                    expected_kind: $kind,
                    expected: Self::WORDS,
                })
            }
        }
    };
    ($(#[$meta:meta])* pub enum $name:ident: $kind:literal { $($variants:tt)+ }) => {
        $crate::word_enum::word_enum! { $(#[$meta])* pub enum $name: $kind, eq { $($variants)+ } }
    };
}

pub(crate) use word_enum;

#[cfg(test)]
mod tests {
    use crate::exemption::Scope;
    use crate::settings::MissingBaseline;

    #[test]
    fn a_variant_is_written_and_read_as_its_word() {
        assert_eq!(Scope::ALL.map(|scope| scope.to_string())[..2], ["occurrences", "target"]);
        assert_eq!(Scope::ALL.map(|scope| scope.as_str().parse()), Scope::ALL.map(Ok));
        assert_eq!(serde_json::to_string(&Scope::Account).unwrap(), r#""account""#);
        assert_eq!(serde_json::from_str::<Scope>(r#""account""#).unwrap(), Scope::Account);
        assert!(serde_json::from_str::<Scope>(r#""Account""#).is_err() && "Account".parse::<Scope>().is_err());
        assert_eq!("Undecided".parse(), Ok(MissingBaseline::Undecided), "where case is ignored");
    }

    #[test]
    fn an_unknown_word_is_reported_with_the_expected_ones() {
        let error = "ki\nwi".parse::<Scope>().unwrap_err().to_string();
        assert_eq!(
            error,
            r"`ki\nwi` is not a scope; expected one of `occurrences`, `target`, `pipeline`, `project`, `account`"
        );
    }
}
