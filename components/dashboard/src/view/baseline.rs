//! Baselines in words.

use crate::view::text::plain;
use api::v1::EffectiveBaseline;
use maud::{Markup, html};

/// The effective baseline: the variant, and the pattern that selected it.
pub(crate) fn effective(baseline: &EffectiveBaseline) -> Markup {
    html! {
        @match (&baseline.regex, &baseline.variant) {
            (None, None) => "none",
            (None, Some(variant)) => bdi { (plain(variant)) },
            (Some(regex), Some(variant)) => {
                bdi { (plain(variant)) } " " span class="hint" { "selected by the pattern " code { (plain(regex)) } }
            },
            (Some(regex), None) => { span class="hint" { "no variant matches the pattern " code { (plain(regex)) } " yet" } },
        }
    }
}

/// The place where the effective baseline is set.
pub(crate) fn origin(from: &str) -> &'static str {
    match from {
        "target" => "this target",
        "project" => "the project's default for targets of this type",
        "built_in" => "the built-in default for targets of this type",
        _ => "a default",
    }
}
