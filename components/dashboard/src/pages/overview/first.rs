//! What a project without a scan shows: how to get the first one in.

use crate::address;
use crate::visit::Visit;
use domain::role::Right;
use maud::{Markup, html};

/// The commands to copy, and where to go.
pub(crate) fn body<A>(visit: &Visit<'_, A>, project: &str) -> Markup {
    let base = address::project(project);
    let (origin, scans) = (visit.origin, address::api(&address::scans(project)));
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
            h2 { "Get the first scan in" }
            p {
                "There is no scan in this project yet. Run a security scanner as you always do, and hand its report to \
                 Gatehouse: it tells which issues are in it, which of them are new, and whether the gate passes."
            }
            @if visit.may(Right::Administer) {
                p {
                    "A pipeline needs a token of its own: "
                    a href={ (base) "/tokens" } { "issue a token" }
                    " with the role " code { "uploader" } ". It uploads reports and can do nothing else."
                }
            } @else {
                p { "A pipeline needs a token of the role " code { "uploader" } ". An admin of the project issues it." }
            }
            h3 { "With the command line tool" }
            (command("Upload with gatehouse", &cli))
            h3 { "With curl" }
            (command("Upload with curl", &curl))
            p class="hint" {
                "A target is what was scanned, such as a repository or an image; a variant is its branch, tag or version. \
                 The scanner is recognised from the report."
            }
            @if visit.may(Right::Upload) {
                h3 { "By hand" }
                p { "You have a report at hand? " a href={ (base) "/upload" } { "Upload a report in the browser" } "." }
            }
        }
    }
}

fn command(label: &str, text: &str) -> Markup {
    html! { pre class="command" tabindex="0" role="region" aria-label=(label) { code { (text) } } }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
