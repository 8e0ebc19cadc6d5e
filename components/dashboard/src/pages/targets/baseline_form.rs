//! The effective baseline of a target, and the form to set it.

use super::variants::{self, VariantsResult};
use crate::address;
use crate::form::Form;
use crate::layout::csrf;
use crate::request::PageRequest;
use crate::view::text::plain;
use crate::view::{baseline, notice, time};
use api::problem::{Code, Problem};
use api::v1::{BaselineBody, TargetItem};
use domain::role::Right;
use domain::time::Timestamp;
use maud::{Markup, html};

/// The ways to set a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The default for the target's type.
    Default,
    /// A fixed variant.
    Variant,
    /// The variants that match a pattern.
    Regex,
    /// No baseline.
    None,
}

impl Kind {
    /// The value in the form.
    fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Variant => "variant",
            Self::Regex => "regex",
            Self::None => "none",
        }
    }

    /// The kind with this value in the form.
    fn named(word: &str) -> Option<Self> {
        [Self::Default, Self::Variant, Self::Regex, Self::None].into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind of a target's own baseline.
    fn of(baseline: Option<&BaselineBody>) -> Self {
        match baseline {
            None => Self::Default,
            Some(body) if body.none => Self::None,
            Some(body) if body.regex.is_some() => Self::Regex,
            Some(_) => Self::Variant,
        }
    }
}

/// The submitted form; its values stay on the page.
#[derive(Debug)]
pub(super) struct BaselineForm<'a> {
    pub(super) kind: Kind,
    variant: &'a str,
    regex: &'a str,
    /// The version of the baseline that the form was made for.
    pub(super) version: Option<u64>,
    /// The API's problem with the form.
    pub(super) refusal: Option<Problem>,
}

impl<'a> BaselineForm<'a> {
    /// Reads the form.
    ///
    /// # Errors
    /// The kind is missing or unknown.
    pub(super) fn read(form: &'a Form) -> Result<Self, Problem> {
        let kind = Kind::named(form.text("kind"))
            .ok_or_else(|| Problem::new(Code::InvalidBody, "the kind of baseline is missing; select one"))?;
        let version = form.number("version").ok().flatten();
        Ok(Self { kind, variant: form.text("variant"), regex: form.text("regex"), version, refusal: None })
    }

    /// True if somebody changed the baseline since the form was made.
    fn is_stale(&self) -> bool {
        self.refusal.as_ref().is_some_and(|problem| problem.code == Code::ChangedMeanwhile)
    }

    /// The entered baseline in words.
    fn words(&self) -> String {
        match self.kind {
            Kind::Default => "the default for targets of this type".to_owned(),
            Kind::Variant => format!("the variant {}", plain(self.variant)),
            Kind::Regex => format!("the pattern {}", plain(self.regex)),
            Kind::None => "no baseline".to_owned(),
        }
    }

    /// The pattern to test, if the form has one.
    pub(super) fn pattern(&self) -> Option<&'a str> {
        Some(self.regex).filter(|regex| self.kind == Kind::Regex && !regex.is_empty())
    }

    /// The baseline as the API expects it; `None` for the default.
    pub(super) fn body(&self) -> Option<BaselineBody> {
        match self.kind {
            Kind::Default => None,
            Kind::Variant => Some(BaselineBody::variant(self.variant)),
            Kind::Regex => Some(BaselineBody::regex(self.regex)),
            Kind::None => Some(BaselineBody::none()),
        }
    }
}

/// The effective baseline, and where it is set.
pub(super) fn effective(target: &TargetItem, now: Timestamp) -> Markup {
    let effective = &target.effective;
    html! {
        dl class="facts" {
            dt { "Current baseline" }
            dd { (baseline::effective(effective)) }
            dt { "Set by" }
            dd { (baseline::origin(&effective.from)) }
            @if let (Some(by), Some(at)) = (&target.changed_by, &target.changed_at) {
                dt { "Last changed" }
                dd { "by " bdi { (plain(by)) } " " (time::relative(at, now)) }
            }
        }
        p class="hint" {
            @match (&effective.regex, &effective.variant) {
                (_, Some(variant)) => { "Scans of other variants are compared with the newest complete scan of " bdi { (plain(variant)) } "." },
                (Some(_), None) => "No scanned variant matches the pattern, so scans have no baseline yet.",
                (None, None) => "Each scan is compared with the last accepted scan of its variant.",
            }
        }
    }
}

/// The form. `variants`: the known variants to suggest. `tested`: the variants that the submitted pattern matches.
pub(super) fn form<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &TargetItem,
    submitted: Option<&BaselineForm<'_>>,
    variants: &[&str],
    tested: Option<&VariantsResult>,
) -> Markup {
    let own = target.baseline.as_ref();
    let refusal = submitted.and_then(|form| form.refusal.as_ref());
    // After a change by somebody else, the form has the present values.
    let stale = submitted.filter(|form| form.is_stale());
    let submitted = submitted.filter(|form| !form.is_stale());
    let version = submitted.and_then(|form| form.version).unwrap_or(target.version);
    let kind = submitted.map_or_else(|| Kind::of(own), |form| form.kind);
    let saved = |field: fn(&BaselineBody) -> Option<&String>| own.and_then(field).map_or("", String::as_str);
    let variant = submitted.map_or_else(|| saved(|body| body.variant.as_ref()), |form| form.variant);
    let regex = submitted.map_or_else(|| saved(|body| body.regex.as_ref()), |form| form.regex);
    let page = address::target(project, &target.name);
    let radio = |of: Kind, label: &str| {
        html! {
            div class="check" {
                input type="radio" id={ "kind-" (of.as_str()) } name="kind" value=(of.as_str()) checked[of == kind];
                label for={ "kind-" (of.as_str()) } { (label) }
            }
        }
    };
    html! {
        form method="post" action=(page) class="stack" id="baseline" {
            (csrf(request.session))
            input type="hidden" name="version" value=(version);
            // The key Enter in a field presses the first button; it saves, as the last button does.
            button class="unseen" tabindex="-1" aria-hidden="true" {}
            @if let Some(problem) = refusal { (notice::bad(&format!("The baseline was not saved: {}.", problem.detail))) }
            @if let Some(stale) = stale { p class="hint" { "You entered: " bdi { (stale.words()) } "." } }
            fieldset class="stack tight" {
                legend { "Compare with" }
                (radio(Kind::Variant, "Fixed variant"))
                div class="field inner" {
                    label for="variant" { "Variant name" }
                    input id="variant" name="variant" value=(variant) data-chooses="kind-variant" list="known-variants" spellcheck="false"
                        autocapitalize="none";
                    datalist id="known-variants" { @for name in variants { option value=(name) {} } }
                }
                (radio(Kind::Regex, "Most recently scanned variant that matches a pattern"))
                div class="field inner" {
                    label for="regex" { "Pattern" }
                    input id="regex" name="regex" value=(regex) data-chooses="kind-regex" spellcheck="false" autocapitalize="none"
                        aria-describedby="regex-hint" hx-get={ (page) "/variants" } hx-trigger="input changed delay:300ms"
                        hx-target="#preview" hx-select="#preview > *" hx-swap="innerHTML";
                    p class="hint" id="regex-hint" {
                        "A regular expression (RE2) that matches the whole name, such as " code { r"v\d+\.\d+" } " or "
                        code { "main|master" } "."
                    }
                    div { button class="second small" name="do" value="try" { "Test pattern" } }
                    div id="preview" aria-live="polite" {
                        @if let Some(tested) = tested { (variants::preview(tested)) }
                    }
                }
                (radio(Kind::None, "No baseline: the last accepted scan of the same variant"))
                (radio(Kind::Default, "Default for targets of this type"))
            }
            @if !request.has_right(Right::Decide) {
                div class="field" {
                    label for="reason" { "Reason, if another person has to approve the change" }
                    input id="reason" name="reason" maxlength="1024" autocomplete="off" aria-describedby="reason-hint";
                    p class="hint" id="reason-hint" { "A change of a baseline that is set needs a reviewer. With a reason, it is requested." }
                }
            }
            div class="row middle" {
                button { "Save baseline" }
                p class="hint" { "Applies from the next scan." }
            }
        }
    }
}
