//! The overview of a project without scans: instructions for the first upload.

use crate::address;
use crate::request::PageRequest;
use domain::role::Right;
use maud::{Markup, html};

/// The instructions, with commands to copy.
pub(crate) fn body<A>(request: &PageRequest<'_, A>, project: &str) -> Markup {
    let base = address::project(project);
    let (origin, scans) = (request.origin, address::api(&address::scans(project)));
    let quoted = quoted(project);
    let cli = format!(
        "export GATEHOUSE_URL={origin}\nexport GATEHOUSE_PROJECT={quoted}\nexport GATEHOUSE_TOKEN=gate_…\n\
         gatehouse upload report.json --target web --variant main"
    );
    let curl = format!(
        "curl -H \"Authorization: Bearer $GATEHOUSE_TOKEN\" --data-binary @report.json \\\n  \
         \"{origin}{scans}?scanner=auto&target=web&variant=main\""
    );
    html! {
        section class="card stack" {
            h2 { "Upload your first report" }
            p {
                "This project has no scans yet. Run a security scanner as usual, and upload its report to Gatehouse. The \
                 result shows the issues, which of them are new, and the verdict of the gate."
            }
            @if request.has_right(Right::Administer) {
                p {
                    "A pipeline needs its own token: "
                    a href={ (base) "/tokens" } { "issue a token" }
                    " with the role " code { "uploader" } ". It can only upload reports."
                }
            } @else {
                p { "A pipeline needs a token with the role " code { "uploader" } ". An admin of the project issues it." }
            }
            h3 { "With the command line" }
            (command("Upload with gatehouse", &cli))
            h3 { "With curl" }
            (command("Upload with curl", &curl))
            p class="hint" {
                "A target is the scanned repository, image or system. A variant is its branch, tag or version. \
                 The scanner is detected from the report."
            }
            @if request.has_right(Right::Upload) {
                h3 { "In the browser" }
                p { a href={ (base) "/upload" } { "Upload report" } }
            }
        }
    }
}

fn command(label: &str, text: &str) -> Markup {
    html! { pre class="command" tabindex="0" role="region" aria-label=(label) { code { (text) } } }
}

/// Quotes a text for a shell, if necessary.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
