//! Two scans of a target side by side.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::scan::lists;
use crate::pages::shown;
use crate::view::text::{cut, plain};
use crate::view::{badge, list, time};
use crate::visit::Visit;
use api::Problem;
use api::v1::{ComparedItem, Scan, ScanComparison};
use domain::comparison::Bucket;
use guest::Reply;
use maud::{Markup, html};

/// Issues on a page.
const LISTED: usize = 50;

/// How a scan differs from another.
///
/// # Errors
/// There is no such scan, they are of different targets, or the API failed.
pub(crate) async fn page<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    scan: &str,
    other: &str,
) -> Result<Reply, Problem> {
    let (here, bucket, at) = (address::compared(project, scan, other), visit.text("bucket"), visit.text("cursor"));
    let compared: ScanComparison = visit
        .api
        .get(&format!("{}?limit={LISTED}{}", address::api(&here), address::query([("bucket", bucket), ("cursor", at)])))
        .await?;
    let url = |bucket: &str, at: &str| address::with_query(&here, [("bucket", bucket), ("cursor", at)]);
    let tally = compared.issues;
    let tabs = [
        ("", "All", tally.new + tally.common + tally.remediated),
        ("new", "Only in the first", tally.new),
        ("common", "In both", tally.common),
        ("remediated", "Only in the second", tally.remediated),
    ];
    let body = html! {
        div class="columns" {
            (side(visit, project, "The first", &compared.scan))
            (side(visit, project, "The second", &compared.other))
        }
        @if !compared.scan_complete {
            p class="notice care" { "The first scan is incomplete: what is only in the second may be there too, and was not looked at." }
        }
        @if !compared.other_complete {
            p class="notice care" { "The second scan is incomplete: what is only in the first may have been there before." }
        }
        @if !compared.same_tool {
            p class="notice care" { "Two tools wrote the reports, and no issue of one tool is another's: they have nothing in common." }
        }
        p {
            "Occurrences: " (compared.occurrences.new) " only in the first, " (compared.occurrences.common)
            " in both, " (compared.occurrences.remediated) " only in the second. "
            a href=(address::compared(project, other, scan)) { "The other way round" }
        }
        nav class="tabs" aria-label="Issues" {
            ul {
                @for (word, name, number) in tabs {
                    li { a href=(url(word, "")) aria-current=[(bucket == word).then_some("page")] { (name) " (" (number) ")" } }
                }
            }
        }
        @if compared.items.is_empty() {
            (list::empty("None.", &html! { "The scans do not differ in this." }))
        } @else {
            div class="table" {
                (table(visit, project, &compared))
                (list::pager("issues", (!at.is_empty()).then(|| url(bucket, "")).as_deref(), compared.next.as_deref().map(|at| url(bucket, at)).as_deref()))
            }
        }
    };
    let target = &compared.scan.target.name;
    let page = Page::of(project, Section::Targets, "Two scans compared", body)
        .below(address::targets(project), "Targets")
        .below(address::target(project, target), target.clone());
    Ok(shown(visit, page))
}

fn side<A>(visit: &Visit<'_, A>, project: &str, name: &str, scan: &Scan) -> Markup {
    html! {
        section class="card stack tight" {
            h2 { (name) }
            p {
                a href=(address::scan(project, scan.id)) {
                    bdi { (plain(&scan.target.name)) ":" (plain(&scan.variant)) }
                }
                ", with " (plain(&scan.scanner)) ", " (time::relative(&scan.received_at, visit.now))
            }
        }
    }
}

fn table<A>(visit: &Visit<'_, A>, project: &str, compared: &ScanComparison) -> Markup {
    let scan_of = |item: &ComparedItem| match item.bucket {
        Bucket::New | Bucket::Common => compared.scan.id,
        Bucket::Remediated => compared.other.id,
    };
    let place = |bucket| match bucket {
        Bucket::New => html! { span class="badge high" { "Only in the first" } },
        Bucket::Common => html! { span class="badge" { "In both" } },
        Bucket::Remediated => html! { span class="badge pass" { "Only in the second" } },
    };
    html! {
        table class="folding" {
            caption class="unseen" { "Issues" }
            thead { tr {
                th scope="col" { "Severity" } th scope="col" { "Issue" } th scope="col" { "Where" }
                th scope="col" class="number" { "Occurrences" } th scope="col" { "First seen" } th scope="col" { "Exemption" }
            } }
            tbody {
                @for item in &compared.items {
                    @let issue = &item.issue;
                    tr {
                        td data-label="Severity" { (badge::severity(&issue.severity)) }
                        th scope="row" {
                            a href=(address::issue(project, scan_of(item), issue.id)) {
                                bdi { (cut(&issue.title, 160)) }
                            }
                        }
                        td data-label="Where" { (place(item.bucket)) }
                        td class="number" data-label="Occurrences" { (issue.occurrences.total) }
                        td data-label="First seen" { (time::relative(&issue.first_seen.at, visit.now)) }
                        td data-label="Exemption" { (lists::exemption(issue)) }
                    }
                }
            }
        }
    }
}
