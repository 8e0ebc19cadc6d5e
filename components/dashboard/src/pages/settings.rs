//! The settings of a project: a form for admins, a form for some of them for reviewers and developers, values for
//! others.

mod criteria;
mod fields;
mod gate;
mod pending;

use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::pages::problem::page_not_found;
use crate::reply;
use crate::request::{Method, PageRequest};
use crate::view::text::plain;
use crate::view::{list, notice, time};
use api::Problem;
use api::problem::Code;
use api::v1::ProjectAnswer;
use domain::role::Right;
use domain::target::TargetType;
use fields::{Choice, Group};
use finding::severity::Severity;
use guest::Reply;
use maud::{Markup, html};

/// Shows, saves or requests the settings, or decides a request to change them.
///
/// # Errors
/// The page does not exist, or the API's problem.
pub(crate) async fn route<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let answer = load(request, project).await?;
            let form = fields::to_form(&answer.settings);
            Ok(page(request, &answer, answer.version, &form, None).reply(request))
        }
        (Method::Post(form), []) => save(request, project, form).await,
        (Method::Post(form), ["gate"]) => gate::submit(request, project, form).await,
        (Method::Post(form), ["request", decision @ ("approve" | "reject" | "withdraw")]) => {
            pending::decide(request, project, decision, form).await
        }
        _ => Err(page_not_found()),
    }
}

/// The project with its settings.
async fn load<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<ProjectAnswer, Problem> {
    request.api.get(&address::api(&address::project(project))).await
}

/// Saves the settings. The call replaces all settings, so those that are not in the form are sent with their current
/// values.
async fn save<A: Api>(request: &PageRequest<'_, A>, project: &str, form: &Form) -> Result<Reply, Problem> {
    let answer = load(request, project).await?;
    let version = form.number::<u64>("version").ok().flatten();
    let saved = match (version, fields::from_form(form, answer.settings.clone())) {
        (Some(version), Ok(settings)) => {
            let path = address::api(&address::project(project));
            request.api.send_on::<ProjectAnswer>("PUT", &path, &settings, Some(version)).await
        }
        (None, _) => Err(no_version()),
        (Some(_), Err(problem)) => Err(problem),
    };
    match saved {
        Ok(_) => Ok(reply::redirect(&format!("{}?done=settings-saved", address::settings(project)))),
        Err(problem) if matches!(problem.code.status(), 400 | 409 | 422) => {
            let version = version.unwrap_or(answer.version);
            let refusal = not_saved(&problem);
            let page = page(request, &answer, version, form, Some(&refusal));
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) if problem.code == Code::ChangedMeanwhile => {
            // Somebody may have changed them after this page read them.
            let answer = load(request, project).await?;
            let differences = fields::differences(&fields::to_form(&answer.settings), form);
            let page = stale(request, &answer, &differences, &not_saved(&problem));
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}

/// The problem of a form without a version.
fn no_version() -> Problem {
    Problem::new(Code::ChangedMeanwhile, "the form does not say which settings it shows")
}

/// The notice after a refused form.
fn not_saved(problem: &Problem) -> String {
    format!("The settings were not saved: {}.", problem.detail)
}

/// The page after somebody changed the settings in between: it has the present values, and lists what was entered.
fn stale<'a, A>(
    request: &PageRequest<'_, A>,
    answer: &'a ProjectAnswer,
    differences: &[fields::Difference],
    refusal: &str,
) -> Page<'a> {
    let page = page(request, answer, answer.version, &fields::to_form(&answer.settings), Some(refusal));
    let body = html! {
        @if !differences.is_empty() {
            section class="card stack tight" aria-labelledby="entered" {
                h2 id="entered" { "What you entered" }
                p { "The form below has the present settings. Yours differed in this:" }
                dl class="facts" {
                    @for fields::Difference { label, now, entered } in differences {
                        dt { (label) }
                        dd { "now " bdi { (plain(now)) } "; you entered " bdi { (plain(entered)) } }
                    }
                }
            }
        }
        (page.body)
    };
    Page { body, ..page }
}

/// The page. `version`: the version of the settings that the form shows. `refusal`: why nothing was done.
fn page<'a, A>(
    request: &PageRequest<'_, A>,
    answer: &'a ProjectAnswer,
    version: u64,
    form: &Form,
    refusal: Option<&str>,
) -> Page<'a> {
    let body = html! {
        @if let Some(text) = refusal { (notice::bad(text)) }
        @if let Some(item) = &answer.settings_request { (pending::section(request, answer, item)) }
        p class="hint" {
            "Created " (time::relative(&answer.created_at, request.now)) ", "
            (list::count(u64::try_from(answer.targets).unwrap_or(u64::MAX), "target"))
            ". Changes of the gate and of baselines apply from the next scan, changes of exemptions at once. \
             Existing scans keep their verdicts."
            @if let (Some(by), Some(at)) = (&answer.changed_by, &answer.changed_at) {
                " Last changed by " bdi { (plain(by)) } " " (time::relative(at, request.now)) "."
            }
        }
        @if request.has_right(Right::Administer) { (editor(request, &answer.id, version, form)) } @else {
            @if has_right_to_all(request, Right::Develop) {
                (gate::section(request, answer, version, form, refusal.is_some()))
            }
            (facts(&fields::to_form(&answer.settings)))
        }
    };
    Page::of(&answer.id, Section::Settings, "Settings", body)
}

/// True if the user has this right for the whole project: settings are not those of single targets.
fn has_right_to_all<A>(request: &PageRequest<'_, A>, right: Right) -> bool {
    request.has_right(right) && !request.session.some_targets
}

fn editor<A>(request: &PageRequest<'_, A>, project: &str, version: u64, form: &Form) -> Markup {
    html! {
        form method="post" action=(address::settings(project)) class="stack" {
            (csrf(request.session))
            input type="hidden" name="version" value=(version);
            section class="card stack" aria-labelledby="gate" {
                h2 id="gate" { (Group::Gate.title()) }
                @for choice in fields::CHOICES.iter().filter(|choice| choice.group == Group::Gate) { (select(choice, form)) }
                (number("rejected_allowed", "Allowed unreadable entries", "0", "",
                    "A report with more unreadable entries makes its scan incomplete and its verdict undecided.", form))
                (number("examined_share", "Share to examine, in percent", "0", "100",
                    "A scan that examined less than this share of what the reference scan examined is blind to everything. With 0, nothing is compared.", form))
            }
            (criteria::editor(form))
            section class="card stack" aria-labelledby="baselines" {
                h2 id="baselines" { "Default baselines" }
                p class="hint" { (fields::BASELINES) }
                @for kind in TargetType::ALL { (baseline(kind, form)) }
            }
            section class="card stack" aria-labelledby="exemptions" {
                h2 id="exemptions" { (Group::Exemptions.title()) }
                @for choice in fields::CHOICES.iter().filter(|choice| choice.group == Group::Exemptions) { (select(choice, form)) }
                fieldset {
                    legend { "Maximum duration of exemptions, in days" }
                    p class="hint" id="days-max" { (fields::DAYS_MAX) }
                    div class="row" {
                        @for level in Severity::ALL {
                            @let name = fields::days_max(level);
                            div class="field short" {
                                label for=(name) { (crate::view::badge::capitalised(level.as_str())) }
                                input id=(name) name=(name) type="number" min="1" max="3650" inputmode="numeric"
                                    value=(form.text(&name)) aria-describedby="days-max";
                            }
                        }
                    }
                }
                (number("ending_notice_days", "Expiry notice, in days", "1", "90",
                    "The number of days before an exemption expires at which people are notified.", form))
                (number("severity_rise_allowed", "Allowed rise of severity, in levels", "0", "5",
                    "An exemption applies to the severity that was approved. If the issue rises by more levels, it counts, and its exemption returns to review.", form))
            }
            div class="actions" { button { "Save settings" } }
        }
    }
}

fn select(choice: &Choice, form: &Form) -> Markup {
    let Choice { name, label, hint, options, .. } = choice;
    let current = form.text(name);
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby={ (name) "-hint" } {
                @for (value, label) in *options { option value=(value) selected[current == *value] { (label) } }
            }
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}

fn number(name: &str, label: &str, min: &str, max: &str, hint: &str, form: &Form) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            input id=(name) name=(name) type="number" min=(min) max=[(!max.is_empty()).then_some(max)] inputmode="numeric"
                value=(form.text(name)) aria-describedby={ (name) "-hint" };
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}

fn baseline(kind: TargetType, form: &Form) -> Markup {
    let (mode, value) = fields::baseline_names(kind);
    let current = form.text(&mode);
    html! {
        div class="row" {
            div class="field grow" {
                label for=(mode) { (fields::type_label(kind)) }
                select id=(mode) name=(mode) {
                    @for (value, label) in fields::baseline_modes(kind) { option value=(value) selected[current == value] { (label) } }
                }
            }
            div class="field grow" {
                label for=(value) { "Variant or pattern for " (fields::type_label(kind).to_lowercase()) }
                input id=(value) name=(value) value=(form.text(&value)) maxlength="256" spellcheck="false" autocapitalize="none";
            }
        }
    }
}

/// The settings for users without the right to change them.
fn facts(form: &Form) -> Markup {
    let of = |group: Group| {
        html! {
            @for choice in fields::CHOICES.iter().filter(|choice| choice.group == group) {
                dt { (choice.label) }
                dd {
                    (choice.words(form.text(choice.name)))
                    p class="hint" { (choice.hint) }
                }
            }
        }
    };
    html! {
        section class="card stack" aria-labelledby="gate" {
            h2 id="gate" { (Group::Gate.title()) }
            dl class="facts" {
                (of(Group::Gate))
                dt { "Allowed unreadable entries" } dd { (form.text("rejected_allowed")) }
                dt { "Share to examine" } dd { (form.text("examined_share")) " %" }
            }
        }
        (criteria::facts(form))
        section class="card stack" aria-labelledby="baselines" {
            h2 id="baselines" { "Default baselines" }
            p class="hint" { (fields::BASELINES) }
            dl class="facts" {
                @for kind in TargetType::ALL {
                    @let (mode, value) = fields::baseline_names(kind);
                    dt { (fields::type_label(kind)) }
                    dd {
                        @for (value, label) in fields::baseline_modes(kind) { @if value == form.text(&mode) { (label) } }
                        @if let Some(value) = form.optional(&value) { ": " code { bdi { (value) } } }
                    }
                }
            }
        }
        section class="card stack" aria-labelledby="exemptions" {
            h2 id="exemptions" { (Group::Exemptions.title()) }
            dl class="facts" {
                (of(Group::Exemptions))
                @for level in Severity::ALL {
                    dt { "Maximum duration, " (level) }
                    dd { @match form.optional(&fields::days_max(level)) { Some(days) => { (days) " days" } None => "no limit" } }
                }
                dt { "Expiry notice" } dd { (form.text("ending_notice_days")) " days" }
                dt { "Allowed rise of severity" } dd { (form.text("severity_rise_allowed")) " levels" }
            }
        }
    }
}

#[cfg(test)]
mod tests;
