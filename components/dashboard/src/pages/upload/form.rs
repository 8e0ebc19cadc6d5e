//! The form to upload a report.

use super::fields::Fields;
use crate::address;
use crate::client::Api;
use crate::layout::csrf;
use crate::request::PageRequest;
use crate::view::notice;
use api::Problem;
use api::page::Page;
use api::v1::{ScannerItem, TargetItem};
use domain::target::TargetType;
use maud::{Markup, html};

/// The number of targets that the form suggests.
const SUGGESTED: usize = 200;
/// The thresholds of the gate, with their labels.
const THRESHOLDS: [(&str, &str); 6] = [
    ("none", "Never"),
    ("critical", "Critical"),
    ("high", "High or higher"),
    ("medium", "Medium or higher"),
    ("low", "Low or higher"),
    ("info", "Any severity"),
];

/// The form with these values, and the problem of a refused upload.
///
/// # Errors
/// The API's problem.
pub(crate) async fn body<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    fields: &Fields,
    refusal: Option<&Problem>,
) -> Result<Markup, Problem> {
    let path = format!("{}?limit={SUGGESTED}", address::api(&address::targets(project)));
    let scanners = address::api("/scanners");
    let (scanners, targets) = futures::try_join!(
        request.api.get::<Page<ScannerItem>>(&scanners),
        request.api.get::<Page<TargetItem>>(&path)
    )?;
    Ok(html! {
        @if let Some(problem) = refusal {
            (notice::bad(&format!("The upload failed: {}. Select the file again before you retry.", problem.detail)))
        }
        form method="post" enctype="multipart/form-data" class="card stack upload" data-upload="upload-state"
            action=(address::upload(project)) {
            (csrf(request.session))
            p class="hint" {
                "Upload the report of a security scanner: SARIF, or the scanner's own JSON, XML or CSV. Gatehouse reads the \
                 issues, compares them with the target's baseline and evaluates the gate. Begin with a report of your main \
                 branch."
            }
            div class="columns" {
                (target(fields, &targets.items))
                (scanner(fields, &scanners.items))
                (threshold(fields, "fail_on_new_occurrences", "Fail on new occurrences",
                    "Recommended for branches and pull requests. The verdict is Fail if an occurrence with this severity or \
                     a higher one is not in the baseline, also of an issue that is, and is not exempted."))
            }
            (more(fields))
            // The file is last: fields after it could be read only when the whole file has arrived.
            div class="field drop" {
                label for="report" { "Report" }
                input id="report" name="report" type="file" required aria-describedby="report-hint";
                p class="hint" id="report-hint" {
                    "One file, optionally compressed with gzip. "
                    span class="if-script" hidden { "You can also drop the file here." }
                }
            }
            div class="row middle" { button { "Upload report" } }
            div id="upload-state" class="stack tight" hidden {
                label for="upload-progress" { "Upload" }
                progress id="upload-progress" max="100" value="0" {}
                p role="status" {}
                div { button type="button" class="second" { "Cancel upload" } }
            }
        }
    })
}

/// The fields of the scanned target.
fn target(fields: &Fields, targets: &[TargetItem]) -> Markup {
    let chosen = fields.text("target_type");
    html! {
        div class="field" {
            label for="target" { "Target" }
            input id="target" name="target" value=(fields.text("target")) required list="targets" spellcheck="false"
                autocapitalize="none" aria-describedby="target-hint";
            datalist id="targets" { @for target in targets { option value=(target.name) {} } }
            p class="hint" id="target-hint" {
                "The scanned repository, image or system. A new name creates a new target."
            }
        }
        div class="field" {
            label for="variant" { "Variant" }
            input id="variant" name="variant" value=(fields.text("variant")) required spellcheck="false"
                autocapitalize="none" aria-describedby="variant-hint";
            p class="hint" id="variant-hint" { "The branch, tag or version, such as main or 2.1.0." }
        }
        div class="field" {
            label for="target_type" { "Target type" }
            select id="target_type" name="target_type" aria-describedby="type-hint" {
                @for kind in TargetType::ALL {
                    option value=(kind.as_str()) selected[kind.as_str() == chosen] { (type_label(kind)) }
                }
            }
            p class="hint" id="type-hint" { "Only for a new target. An existing target keeps its type." }
        }
    }
}

fn type_label(kind: TargetType) -> &'static str {
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
                option value="auto" { "Detect from the report" }
                @for scanner in scanners {
                    option value=(scanner.id) selected[scanner.id == chosen] { (scanner.name) " (" (scanner.id) ")" }
                }
            }
            p class="hint" id="scanner-hint" { "Select the scanner if it is not detected, or to refuse reports of other scanners." }
        }
    }
}

fn threshold(fields: &Fields, name: &str, label: &str, hint: &str) -> Markup {
    let chosen = fields.text(name);
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby={ (name) "-hint" } {
                @for (value, label) in THRESHOLDS { option value=(value) selected[value == chosen] { (label) } }
            }
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}

fn more(fields: &Fields) -> Markup {
    let filled = |name: &str| !matches!(fields.text(name), "" | "none");
    let open = ["fail_on_severity", "fail_on_new", "pipeline", "execution"].into_iter().any(filled);
    let input = |name: &str, label: &str, hint: &str| {
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
            summary { "More thresholds and pipeline" }
            div class="columns" {
                (threshold(fields, "fail_on_new", "Fail on new issues",
                    "Checks only issues that are not in the baseline."))
                (threshold(fields, "fail_on_severity", "Fail on severity",
                    "Checks all issues, old and new."))
                (input("pipeline", "Pipeline", "The pipeline that produced the report."))
                (input("execution", "Execution", "The run of the pipeline, such as its number. Scans of one execution are shown together."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{FakeApi, session, text, with_get};
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
    fn the_form_has_its_file_last_and_is_prefilled_by_a_link() {
        let (api, session) = (api(), session(Role::Developer));
        let url = "/projects/shop/upload?target=%22%3E%3Cscript%3E&fail_on_new=high";
        let reply =
            with_get(&api, &session, url, async |request| crate::pages::upload::page(request, "shop").await).unwrap();
        let page = text(&reply);
        assert!(page.contains(r#"value="&quot;&gt;&lt;script&gt;""#), "{page}");
        assert!(page.contains(r#"<option value="high" selected>"#) && page.contains("<details class=\"fold\" open>"));
        let folded = page.find("<details class=\"fold\"").unwrap();
        let recommended = page.find("name=\"fail_on_new_occurrences\"").unwrap();
        assert!(recommended < folded && page.contains("Recommended for branches and pull requests."), "{page}");
        let at = |name: &str| page.find(&format!("name=\"{name}\"")).unwrap();
        for before in ["target", "variant", "scanner", "execution"] {
            assert!(at(before) < at("report"), "{before}");
        }
    }

    #[test]
    fn a_viewer_cannot_upload() {
        let (api, session) = (api(), session(Role::Viewer));
        let result = with_get(&api, &session, "/projects/shop/upload", async |request| {
            crate::pages::upload::page(request, "shop").await
        });
        assert_eq!(result.unwrap_err().code, Code::Forbidden);
    }
}
