//! What a target is compared with, and the form that says so.

use super::words::{self, Kind};
use super::{base, target, variants};
use crate::address;
use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::csrf;
use crate::pages::shown;
use crate::view::notice;
use crate::view::text::plain;
use crate::visit::Visit;
use api::problem::{Code, Problem};
use api::v1::{BaselineBody, TargetItem, TargetPatch};
use guest::Reply;
use maud::{Markup, html};

/// What somebody typed, which the page keeps.
#[derive(Debug)]
pub(crate) struct Typed<'a> {
    kind: Kind,
    variant: &'a str,
    regex: &'a str,
    /// What was wrong with it.
    refused: Option<Problem>,
}

impl<'a> Typed<'a> {
    fn of(form: &'a Form) -> Result<Self, Problem> {
        let kind = Kind::named(form.text("kind"))
            .ok_or_else(|| Problem::new(Code::InvalidBody, "the form says no kind of baseline; choose one"))?;
        Ok(Self { kind, variant: form.text("variant"), regex: form.text("regex"), refused: None })
    }

    /// The pattern to try.
    pub(crate) fn tried(&self) -> Option<&'a str> {
        Some(self.regex).filter(|regex| self.kind == Kind::Regex && !regex.is_empty())
    }

    fn body(&self) -> Option<BaselineBody> {
        match self.kind {
            Kind::Default => None,
            Kind::Variant => Some(BaselineBody::variant(self.variant)),
            Kind::Regex => Some(BaselineBody::regex(self.regex)),
            Kind::None => Some(BaselineBody::none()),
        }
    }
}

/// Sets the baseline, or shows what its pattern would match.
///
/// # Errors
/// The API failed, or says that they may not.
pub(crate) async fn submit<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    name: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let mut typed = Typed::of(form)?;
    if form.text("do") == "try" {
        typed.kind = Kind::Regex;
        return Ok(shown(visit, target::whole(visit, project, name, Some(typed)).await?));
    }
    let path = address::api(&address::target(project, name));
    let patch = TargetPatch { baseline: typed.body() };
    match visit.api.send::<TargetItem>("PATCH", &path, &patch).await {
        Ok(_) => Ok(answer::redirect(&format!("{}?done=baseline-saved", base(project, name)))),
        Err(problem) if matches!(problem.code, Code::InvalidBody | Code::Conflict) => {
            let status = problem.code.status();
            typed.refused = Some(problem);
            let page = target::whole(visit, project, name, Some(typed)).await?;
            Ok(answer::page(status, page.framed(visit)))
        }
        Err(problem) => Err(problem),
    }
}

/// The baseline that holds now, and who says so.
pub(crate) fn holds(target: &TargetItem) -> Markup {
    let effective = &target.effective;
    html! {
        dl class="facts" {
            dt { "Holds now" }
            dd { (words::means(effective)) }
            dt { "Comes from" }
            dd { (words::origin(&effective.from)) }
        }
        p class="hint" {
            @match (&effective.regex, &effective.variant) {
                (_, Some(variant)) => { "Scans of other variants are compared with the newest complete scan of " bdi { (plain(variant)) } "." },
                (Some(_), None) => "No variant that was scanned matches the pattern, so there is nothing to compare with yet.",
                (None, None) => "Each variant is compared with its own previous scan.",
            }
        }
    }
}

/// The form.
pub(crate) fn form<A>(
    visit: &Visit<'_, A>,
    project: &str,
    target: &TargetItem,
    typed: Option<&Typed<'_>>,
    known: &[&str],
    tried: Option<&variants::Tried>,
) -> Markup {
    let own = target.baseline.as_ref();
    let kind = typed.map_or_else(|| Kind::of(own), |typed| typed.kind);
    let said = |field: fn(&BaselineBody) -> Option<&String>| own.and_then(field).map_or("", String::as_str);
    let variant = typed.map_or_else(|| said(|body| body.variant.as_ref()), |typed| typed.variant);
    let regex = typed.map_or_else(|| said(|body| body.regex.as_ref()), |typed| typed.regex);
    let here = base(project, &target.name);
    let refused = typed.and_then(|typed| typed.refused.as_ref());
    let radio = |of: Kind, label: &str| {
        html! {
            div class="check" {
                input type="radio" id={ "kind-" (of.as_str()) } name="kind" value=(of.as_str()) checked[of == kind];
                label for={ "kind-" (of.as_str()) } { (label) }
            }
        }
    };
    html! {
        form method="post" action=(here) class="stack" id="baseline" {
            (csrf(visit.session))
            // Enter in a field presses the first button: it saves, as the last one does.
            button class="unseen" tabindex="-1" aria-hidden="true" {}
            @if let Some(problem) = refused { (notice::bad(&format!("The baseline was not saved: {}.", problem.detail))) }
            fieldset class="stack tight" {
                legend { "Compare with" }
                (radio(Kind::Variant, "Always the same variant"))
                div class="field inner" {
                    label for="variant" { "Fixed variant" }
                    input id="variant" name="variant" value=(variant) data-chooses="kind-variant" list="known-variants" spellcheck="false"
                        autocapitalize="none";
                    datalist id="known-variants" { @for name in known { option value=(name) {} } }
                }
                (radio(Kind::Regex, "Of the variants that match a pattern, the one scanned last"))
                div class="field inner" {
                    label for="regex" { "Pattern" }
                    input id="regex" name="regex" value=(regex) data-chooses="kind-regex" spellcheck="false" autocapitalize="none"
                        aria-describedby="regex-hint" hx-get={ (here) "/variants" } hx-trigger="input changed delay:300ms"
                        hx-target="#preview" hx-select="#preview > *" hx-swap="innerHTML";
                    p class="hint" id="regex-hint" {
                        "A regular expression (RE2) for whole names, such as " code { r"v\d+\.\d+" } " or "
                        code { "main|master" } "."
                    }
                    div { button class="second small" name="do" value="try" { "Try it" } }
                    div id="preview" aria-live="polite" {
                        @if let Some(tried) = tried { (variants::preview(tried)) }
                    }
                }
                (radio(Kind::None, "Nothing: each variant with its own previous scan"))
                (radio(Kind::Default, "What the default for targets of this type says"))
            }
            div class="row middle" {
                button { "Save baseline" }
                p class="hint" { "Holds from the next scan on." }
            }
        }
    }
}
