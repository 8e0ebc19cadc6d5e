//! A project's settings: a form for its admin, facts for everybody else.

mod fields;

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, Section, csrf};
use crate::pages::Asked;
use crate::view::{list, notice, time};
use crate::visit::Visit;
use api::Problem;
use api::v1::ProjectAnswer;
use domain::role::Right;
use domain::target::TargetType;
use fields::{Choice, Group};
use finding::severity::Severity;
use guest::Reply;
use maud::{Markup, html};

/// The page, or the settings set.
///
/// # Errors
/// The API's.
pub(crate) async fn route<A: Api>(visit: &Visit<'_, A>, asked: Asked<'_>, project: &str) -> Result<Reply, Problem> {
    let path = address::api(&address::project(project));
    let answer: ProjectAnswer = visit.api.get(&path).await?;
    match asked {
        Asked::Get => Ok(answer::page(200, page(visit, &answer, &fields::shown(&answer.settings), None))),
        Asked::Post(form) => save(visit, form, &path, answer).await,
    }
}

/// Saves them. A call sets all settings, so what the form does not show stays what it was when it was sent.
async fn save<A: Api>(visit: &Visit<'_, A>, form: &Form, path: &str, answer: ProjectAnswer) -> Result<Reply, Problem> {
    let saved = match fields::read(form, answer.settings.clone()) {
        Ok(settings) => visit.api.send::<ProjectAnswer>("PUT", path, &settings).await,
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(_) => Ok(answer::redirect(&format!("{}?done=settings-saved", visit.path()))),
        Err(problem) if matches!(problem.code.status(), 400 | 409 | 422) => {
            Ok(answer::page(problem.code.status(), page(visit, &answer, form, Some(&problem))))
        }
        Err(problem) => Err(problem),
    }
}

fn page<A>(visit: &Visit<'_, A>, answer: &ProjectAnswer, form: &Form, refused: Option<&Problem>) -> Markup {
    let body = html! {
        @if let Some(problem) = refused { (notice::bad(&format!("Nothing was saved: {}.", problem.detail))) }
        p class="hint" {
            "Created " (time::relative(&answer.created_at, visit.now)) ", "
            (list::count(u64::try_from(answer.targets).unwrap_or(u64::MAX), "target"))
            ". What is set of the gate and of baselines holds from the next scan on, what is set of exemptions at once. \
             Scans that are there stay as they were judged."
        }
        @if visit.may(Right::Administer) { (editor(visit, form)) } @else { (facts(form)) }
    };
    Page::of(&answer.id, Section::Settings, "Settings", body).framed(visit)
}

fn editor<A>(visit: &Visit<'_, A>, form: &Form) -> Markup {
    html! {
        form method="post" action=(visit.path()) class="stack" {
            (csrf(visit.session))
            section class="card stack" aria-labelledby="gate" {
                h2 id="gate" { (Group::Gate.title()) }
                @for choice in fields::CHOICES.iter().filter(|choice| choice.group == Group::Gate) { (select(choice, form)) }
                (number("rejected_allowed", "Unreadable entries that are allowed", "0", "",
                    "How many entries of a report may be unreadable before its scan is incomplete, and its verdict undecided.", form))
            }
            section class="card stack" aria-labelledby="baselines" {
                h2 id="baselines" { "Default baselines" }
                p class="hint" { (fields::BASELINES) }
                @for kind in TargetType::ALL { (baseline(kind, form)) }
            }
            section class="card stack" aria-labelledby="exemptions" {
                h2 id="exemptions" { (Group::Exemptions.title()) }
                @for choice in fields::CHOICES.iter().filter(|choice| choice.group == Group::Exemptions) { (select(choice, form)) }
                fieldset {
                    legend { "The longest exemption, in days" }
                    p class="hint" id="longest" { (fields::LONGEST) }
                    div class="row" {
                        @for level in Severity::ALL {
                            @let name = fields::days_max(level);
                            div class="field short" {
                                label for=(name) { (crate::view::badge::capitalised(level.as_str())) }
                                input id=(name) name=(name) type="number" min="1" max="3650" inputmode="numeric"
                                    value=(form.text(&name)) aria-describedby="longest";
                            }
                        }
                    }
                }
                (number("ending_notice_days", "Days of notice before an end", "1", "90",
                    "How many days before an exemption's end people are told.", form))
            }
            div class="actions" { button { "Save the settings" } }
        }
    }
}

fn select(choice: &Choice, form: &Form) -> Markup {
    let Choice { name, label, hint, options, .. } = choice;
    let typed = form.text(name);
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby={ (name) "-hint" } {
                @for (value, words) in *options { option value=(value) selected[typed == *value] { (words) } }
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
    let typed = form.text(&mode);
    html! {
        div class="row" {
            div class="field grow" {
                label for=(mode) { (fields::kind(kind)) }
                select id=(mode) name=(mode) {
                    @for (word, words) in fields::baseline_modes(kind) { option value=(word) selected[typed == word] { (words) } }
                }
            }
            div class="field grow" {
                label for=(value) { "Variant or pattern for " (fields::kind(kind).to_lowercase()) }
                input id=(value) name=(value) value=(form.text(&value)) maxlength="256" spellcheck="false" autocapitalize="none";
            }
        }
    }
}

/// The settings for who can't change them.
fn facts(form: &Form) -> Markup {
    let of = |group: Group| {
        html! {
            @for choice in fields::CHOICES.iter().filter(|choice| choice.group == group) {
                dt { (choice.label) }
                dd {
                    @let typed = form.text(choice.name);
                    (choice.options.iter().find(|(value, _)| *value == typed).map_or(typed, |(_, words)| words))
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
                dt { "Unreadable entries that are allowed" } dd { (form.text("rejected_allowed")) }
            }
        }
        section class="card stack" aria-labelledby="baselines" {
            h2 id="baselines" { "Default baselines" }
            p class="hint" { (fields::BASELINES) }
            dl class="facts" {
                @for kind in TargetType::ALL {
                    @let (mode, value) = fields::baseline_names(kind);
                    dt { (fields::kind(kind)) }
                    dd {
                        @for (word, words) in fields::baseline_modes(kind) { @if word == form.text(&mode) { (words) } }
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
                    dt { "The longest for " (level) }
                    dd { @match form.optional(&fields::days_max(level)) { Some(days) => { (days) " days" } None => "no limit" } }
                }
                dt { "Days of notice before an end" } dd { (form.text("ending_notice_days")) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
