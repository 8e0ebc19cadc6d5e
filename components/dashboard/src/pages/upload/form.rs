//! The form to upload a report with.

use super::fields::Fields;
use crate::address;
use crate::client::Api;
use crate::layout::csrf;
use crate::view::notice;
use crate::visit::Visit;
use api::Problem;
use api::page::Page;
use api::v1::{ScannerItem, TargetItem};
use domain::target::TargetType;
use maud::{Markup, html};

/// How many targets are proposed.
const PROPOSED: usize = 200;
/// The levels that the gate can fail from, as the form words them.
const LEVELS: [(&str, &str); 6] = [
    ("none", "Never"),
    ("critical", "Critical"),
    ("high", "High or worse"),
    ("medium", "Medium or worse"),
    ("low", "Low or worse"),
    ("info", "Any level"),
];

/// The form with these fields filled in, and what was wrong with it.
///
/// # Errors
/// The API's.
pub(crate) async fn body<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    fields: &Fields,
    refused: Option<&Problem>,
) -> Result<Markup, Problem> {
    let path = format!("{}?limit={PROPOSED}", address::api(&address::targets(project)));
    let scanners = address::api("/scanners");
    let (scanners, targets) =
        futures::try_join!(visit.api.get::<Page<ScannerItem>>(&scanners), visit.api.get::<Page<TargetItem>>(&path))?;
    Ok(html! {
        @if let Some(problem) = refused {
            (notice::bad(&format!("The report was not taken: {}. Choose the file again before you send the form.", problem.detail)))
        }
        form method="post" enctype="multipart/form-data" class="card stack upload" data-upload="upload-state"
            action=(address::upload(project)) {
            (csrf(visit.session))
            p class="hint" {
                "Hand in what a security scanner wrote: SARIF, or the scanner's own JSON, XML or CSV. Gatehouse finds the \
                 issues in it, compares them with the target's baseline and tells whether the gate passes. A report of \
                 your main branch is a good one to begin with."
            }
            div class="columns" {
                (what(fields, &targets.items))
                (scanner(fields, &scanners.items))
                (threshold(fields, "fail_on_severity", "Fail on severity",
                    "The verdict is Fail if the scan has an issue at least so severe that is not exempted."))
            }
            (more(fields))
            // Behind the fields: what comes after the file could only be read once all of it has arrived.
            div class="field drop" {
                label for="report" { "Report" }
                input id="report" name="report" type="file" required aria-describedby="report-hint";
                p class="hint" id="report-hint" {
                    "One file; it may be compressed with gzip. "
                    span class="if-script" hidden { "You can also drop it here." }
                }
            }
            div class="row middle" { button { "Upload report" } }
            div id="upload-state" class="stack tight" hidden {
                label for="upload-progress" { "Upload" }
                progress id="upload-progress" max="100" value="0" {}
                p role="status" {}
                div { button type="button" class="second" { "Cancel" } }
            }
        }
    })
}

/// What was scanned.
fn what(fields: &Fields, targets: &[TargetItem]) -> Markup {
    let chosen = fields.text("target_type");
    html! {
        div class="field" {
            label for="target" { "Target" }
            input id="target" name="target" value=(fields.text("target")) required list="targets" spellcheck="false"
                autocapitalize="none" aria-describedby="target-hint";
            datalist id="targets" { @for target in targets { option value=(target.name) {} } }
            p class="hint" id="target-hint" {
                "What was scanned, such as the name of a repository or an image. A new name makes a new target."
            }
        }
        div class="field" {
            label for="variant" { "Variant" }
            input id="variant" name="variant" value=(fields.text("variant")) required spellcheck="false"
                autocapitalize="none" aria-describedby="variant-hint";
            p class="hint" id="variant-hint" { "Its branch, tag or version, such as main or 2.1.0." }
        }
        div class="field" {
            label for="target_type" { "Target type" }
            select id="target_type" name="target_type" aria-describedby="type-hint" {
                @for kind in TargetType::ALL {
                    option value=(kind.as_str()) selected[kind.as_str() == chosen] { (type_words(kind)) }
                }
            }
            p class="hint" id="type-hint" { "A target keeps the type of its first scan." }
        }
    }
}

fn type_words(kind: TargetType) -> &'static str {
    match kind {
        TargetType::Repository => "Repository: source code",
        TargetType::Container => "Container: an image",
        TargetType::Instance => "Instance: a running application or host",
        TargetType::Configuration => "Configuration: a cloud account or cluster",
    }
}

fn scanner(fields: &Fields, scanners: &[ScannerItem]) -> Markup {
    let chosen = fields.text("scanner");
    html! {
        div class="field" {
            label for="scanner" { "Scanner" }
            select id="scanner" name="scanner" aria-describedby="scanner-hint" {
                option value="auto" { "Recognise it from the report" }
                @for scanner in scanners {
                    option value=(scanner.id) selected[scanner.id == chosen] { (scanner.name) " (" (scanner.id) ")" }
                }
            }
            p class="hint" id="scanner-hint" { "Name it if the report is not recognised, or if it must be this one's." }
        }
    }
}

fn threshold(fields: &Fields, name: &str, label: &str, hint: &str) -> Markup {
    let chosen = fields.text(name);
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby={ (name) "-hint" } {
                @for (value, words) in LEVELS { option value=(value) selected[value == chosen] { (words) } }
            }
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}

fn more(fields: &Fields) -> Markup {
    let filled = |name: &str| !matches!(fields.text(name), "" | "none");
    let open = ["fail_on_new", "fail_on_new_occurrences", "pipeline", "execution"].into_iter().any(filled);
    let line = |name: &str, label: &str, hint: &str| {
        html! {
            div class="field" {
                label for=(name) { (label) }
                input id=(name) name=(name) value=(fields.text(name)) spellcheck="false" autocapitalize="none"
                    aria-describedby={ (name) "-hint" };
                p class="hint" id={ (name) "-hint" } { (hint) }
            }
        }
    };
    html! {
        details class="fold" open[open] {
            summary { "More criteria, and the run of a pipeline" }
            div class="columns" {
                (threshold(fields, "fail_on_new", "Fail on new issues",
                    "The same for issues that the baseline does not have."))
                (threshold(fields, "fail_on_new_occurrences", "Fail on new occurrences",
                    "The same for new places of an issue, also of one that the baseline has."))
                (line("pipeline", "Pipeline", "The pipeline that the report comes from."))
                (line("execution", "Execution", "The run of the pipeline: its scans are shown together."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{FakeApi, session, text, visiting};
    use api::page::Page;
    use api::problem::Code;
    use api::v1::{ScannerItem, TargetItem};
    use domain::role::Role;

    fn api() -> FakeApi {
        FakeApi::default()
            .answer("GET /api/v1/scanners", &Page::<ScannerItem> { items: Vec::new(), next: None })
            .answer(
                "GET /api/v1/projects/shop/targets?limit=200",
                &Page::<TargetItem> { items: Vec::new(), next: None },
            )
    }

    #[test]
    fn the_form_has_its_file_last_and_fills_in_what_a_link_says() {
        let (api, session) = (api(), session(Role::Developer));
        let here = "/projects/shop/upload?target=%22%3E%3Cscript%3E&fail_on_new=high";
        let reply =
            visiting(&api, &session, here, async |visit| crate::pages::upload::page(visit, "shop").await).unwrap();
        let page = text(&reply);
        assert!(page.contains(r#"value="&quot;&gt;&lt;script&gt;""#), "{page}");
        assert!(page.contains(r#"<option value="high" selected>"#) && page.contains("<details class=\"fold\" open>"));
        let at = |name: &str| page.find(&format!("name=\"{name}\"")).unwrap();
        for before in ["target", "variant", "scanner", "execution"] {
            assert!(at(before) < at("report"), "{before}");
        }
    }

    #[test]
    fn a_viewer_uploads_nothing() {
        let (api, session) = (api(), session(Role::Viewer));
        let asked = visiting(&api, &session, "/projects/shop/upload", async |visit| {
            crate::pages::upload::page(visit, "shop").await
        });
        assert_eq!(asked.unwrap_err().code, Code::Forbidden);
    }
}
