//! Baselines in words.

use crate::view::text::plain;
use api::v1::{BaselineBody, EffectiveBaseline};
use maud::{Markup, html};

/// What a baseline means, in a few words.
pub(crate) fn means(baseline: &EffectiveBaseline) -> Markup {
    html! {
        @match (&baseline.regex, &baseline.variant) {
            (None, None) => "none",
            (None, Some(variant)) => bdi { (plain(variant)) },
            (Some(regex), Some(variant)) => {
                bdi { (plain(variant)) } " " span class="hint" { "by the pattern " code { (plain(regex)) } }
            },
            (Some(regex), None) => { span class="hint" { "nothing yet, by the pattern " code { (plain(regex)) } } },
        }
    }
}

/// Who says what the baseline is.
pub(crate) fn origin(from: &str) -> &'static str {
    match from {
        "target" => "set for this target",
        "project" => "the project's default for targets of this type",
        "built_in" => "the built-in default for targets of this type",
        _ => "a default",
    }
}

/// The ways to say a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The target says nothing.
    Default,
    /// One variant.
    Variant,
    /// Those that match.
    Regex,
    /// There is none.
    None,
}

impl Kind {
    /// As the form writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Variant => "variant",
            Self::Regex => "regex",
            Self::None => "none",
        }
    }

    /// What the form means; what it does not know is none.
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::Default, Self::Variant, Self::Regex, Self::None].into_iter().find(|kind| kind.as_str() == word)
    }

    /// What a target says.
    pub(crate) fn of(baseline: Option<&BaselineBody>) -> Self {
        match baseline {
            None => Self::Default,
            Some(body) if body.none => Self::None,
            Some(body) if body.regex.is_some() => Self::Regex,
            Some(_) => Self::Variant,
        }
    }
}
