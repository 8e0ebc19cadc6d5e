//! The comparison of two scans of a target.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::text::{cut, plain};
use crate::view::{badge, exemption, list, time};
use api::Problem;
use api::v1::{ComparedItem, Scan, ScanComparison};
use domain::comparison::Bucket;
use guest::Reply;
use maud::{Markup, html};

/// Issues on a page.
const PER_PAGE: usize = 50;

/// The page.
///
/// # Errors
/// The API's problem, such as an unknown scan or scans of different targets.
pub(crate) async fn page<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    scan: &str,
    other: &str,
) -> Result<Reply, Problem> {
    let (page, bucket, cursor) =
        (address::comparison(project, scan, other), request.text("bucket"), request.text("cursor"));
    let compared: ScanComparison = request
        .api
        .get(&format!(
            "{}?limit={PER_PAGE}{}",
            address::api(&page),
            address::query([("bucket", bucket), ("cursor", cursor)])
        ))
        .await?;
    let url = |bucket: &str, cursor: &str| address::with_query(&page, [("bucket", bucket), ("cursor", cursor)]);
    let tally = compared.issues;
    let tabs = [
        ("", "All", tally.new + tally.common + tally.remediated + tally.not_seen),
        ("new", "Only in the first scan", tally.new),
        ("common", "In both scans", tally.common),
        ("remediated", "Only in the second scan", tally.remediated),
        ("not_seen", "Not seen by the first scan", tally.not_seen),
    ];
    let body = html! {
        div class="columns" {
            (scan_card(request, project, "First scan", &compared.scan))
            (scan_card(request, project, "Second scan", &compared.other))
        }
        @if !compared.scan_complete {
            p class="notice care" { "The first scan is incomplete. Issues listed only in the second scan may also be in the first one." }
        }
        @if !compared.other_complete {
            p class="notice care" { "The second scan is incomplete. Issues listed only in the first scan may also be in the second one." }
        }
        @if !compared.same_tool {
            p class="notice care" { "The reports are from different scanners, so the scans have no common issues." }
        }
        p {
            "Occurrences: " (compared.occurrences.new) " only in the first scan, " (compared.occurrences.common)
            " in both scans, " (compared.occurrences.remediated) " only in the second scan"
            @if compared.occurrences.not_seen > 0 {
                ", " (compared.occurrences.not_seen) " inside a blind spot of the first scan"
            }
            ". "
            a href=(address::comparison(project, other, scan)) { "Swap scans" }
        }
        nav class="tabs" aria-label="Issues" {
            ul {
                @for (word, name, number) in tabs {
                    li { a href=(url(word, "")) aria-current=[(bucket == word).then_some("page")] { (name) " (" (number) ")" } }
                }
            }
        }
        @if compared.items.is_empty() {
            (list::empty("No issues.", &html! { "Select another tab." }))
        } @else {
            div class="table" {
                (table(request, project, &compared))
                (list::pager("issues", (!cursor.is_empty()).then(|| url(bucket, "")).as_deref(), compared.next.as_deref().map(|cursor| url(bucket, cursor)).as_deref()))
            }
        }
    };
    let target = &compared.scan.target.name;
    let page = Page::of(project, Section::Targets, "Comparison of two scans", body)
        .below(address::targets(project), "Targets")
        .below(address::target(project, target), target.clone());
    Ok(page.reply(request))
}

fn scan_card<A>(request: &PageRequest<'_, A>, project: &str, name: &str, scan: &Scan) -> Markup {
    html! {
        section class="card stack tight" {
            h2 { (name) }
            p {
                a href=(address::scan(project, scan.id)) {
                    bdi { (plain(&scan.target.name)) ":" (plain(&scan.variant)) }
                }
                ", " (plain(&scan.scanner)) ", " (time::relative(&scan.received_at, request.now))
            }
        }
    }
}

fn table<A>(request: &PageRequest<'_, A>, project: &str, compared: &ScanComparison) -> Markup {
    let scan_of = |item: &ComparedItem| match item.bucket {
        Bucket::New | Bucket::Common => compared.scan.id,
        Bucket::Remediated | Bucket::NotSeen => compared.other.id,
    };
    let found_in = |bucket| match bucket {
        Bucket::New => html! { span class="badge high" { "First scan" } },
        Bucket::Common => html! { span class="badge" { "Both scans" } },
        Bucket::Remediated => html! { span class="badge pass" { "Second scan" } },
        Bucket::NotSeen => html! { span class="badge medium" { "Second scan, not seen by the first" } },
    };
    html! {
        table class="folding" {
            caption class="unseen" { "Issues" }
            thead { tr {
                th scope="col" { "Severity" } th scope="col" { "Issue" } th scope="col" { "Found in" }
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
                        td data-label="Found in" { (found_in(item.bucket)) }
                        td class="number" data-label="Occurrences" { (issue.occurrences.total) }
                        td data-label="First seen" { (time::relative(&issue.first_seen.at, request.now)) }
                        td data-label="Exemption" { (exemption::of_issue(issue)) }
                    }
                }
            }
        }
    }
}
