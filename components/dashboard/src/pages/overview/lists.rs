//! The lists of the overview: failing gates, exemptions, targets.

use super::trend::{by_severity, total};
use crate::request::PageRequest;
use crate::view::list::{count, empty};
use crate::view::text::plain;
use crate::view::{badge, baseline, time};
use api::path::segment;
use api::v1::{Overview, OverviewExemptions, OverviewTarget};
use domain::role::Right;
use maud::{Markup, html};

/// The variants whose newest scan failed or is undecided.
pub(crate) fn failing<A>(request: &PageRequest<'_, A>, base: &str, overview: &Overview) -> Markup {
    let more = overview.failing_total.saturating_sub(u64::try_from(overview.failing.len()).unwrap_or(u64::MAX));
    html! {
        section class="stack tight" {
            h2 { "Failing gates" }
            @if overview.failing.is_empty() {
                (empty("No failing gates.", &html! { "The newest scan of every variant passed." }))
            } @else {
                div class="table" tabindex="0" role="region" aria-label="Failing gates" {
                    table class="folding" {
                        thead {
                            tr {
                                th scope="col" { "Target" } th scope="col" { "Variant" } th scope="col" { "Newest scan" }
                            }
                        }
                        tbody {
                            @for one in &overview.failing {
                                tr {
                                    th scope="row" {
                                        a href={ (base) "/targets/" (segment(&one.target)) } { bdi { (one.target) } }
                                    }
                                    td data-label="Variant" { bdi { (plain(&one.variant)) } }
                                    td data-label="Newest scan" {
                                        (badge::verdict(one.verdict, false)) " "
                                        a href={ (base) "/scans/" (one.scan) } { "Scan " (time::relative(&one.at, request.now)) }
                                    }
                                }
                            }
                        }
                    }
                    @if 0 < more { p class="hint more" { "and " (count(more, "more variant")) } }
                }
            }
        }
    }
}

/// The numbers of exemptions that need attention.
pub(crate) fn exemptions<A>(request: &PageRequest<'_, A>, base: &str, of: &OverviewExemptions) -> Markup {
    let base = format!("{base}/exemptions");
    let pending = match request.has_right(Right::Decide) {
        true => format!("{} to review", count(of.pending, "request")),
        false => count(of.pending, "pending request"),
    };
    let verb = if of.ending == 1 { "expires" } else { "expire" };
    let expiring = format!("{} {verb} within {}", of.ending, count(u64::from(of.ending_days), "day"));
    html! {
        section class="stack tight" {
            h2 { "Exemptions" }
            ul class="card stack tight" {
                li class="row middle" {
                    a href={ (base) "?status=pending" } { (pending) }
                    @if 0 < of.pending { span class="badge pending" { "Pending" } }
                }
                li { a href={ (base) "?status=expiring&within=" (of.ending_days) } { (expiring) } }
                li { a href={ (base) "?status=approved" } { (of.approved) " approved" } }
            }
        }
    }
}

/// The targets.
pub(crate) fn targets<A>(request: &PageRequest<'_, A>, base: &str, overview: &Overview) -> Markup {
    html! {
        section class="stack tight" {
            h2 { "Targets" }
            div class="table" tabindex="0" role="region" aria-label="Targets" {
                table class="folding" {
                    thead {
                        tr {
                            th scope="col" { "Target" }
                            th scope="col" { "Type" }
                            th scope="col" { "Baseline" }
                            th scope="col" { "Newest scan" }
                            th scope="col" { "Open issues" }
                            th scope="col" class="number" { "Failing variants" }
                        }
                    }
                    tbody { @for target in &overview.targets { (row(request, base, target)) } }
                }
                @if overview.more_targets {
                    p class="hint more" {
                        "The list shows the most recently scanned targets. " a href={ (base) "/targets" } { "All targets" }
                    }
                }
            }
        }
    }
}

fn row<A>(request: &PageRequest<'_, A>, base: &str, target: &OverviewTarget) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ (base) "/targets/" (segment(&target.id)) } { bdi { (target.id) } } }
            td class="nowrap" data-label="Type" { (badge::capitalised(target.target_type.as_str())) }
            td data-label="Baseline" { (baseline::effective(&target.baseline)) }
            td data-label="Newest scan" {
                @match &target.last_scan {
                    None => "never",
                    Some(scan) => {
                        (badge::verdict(scan.verdict, scan.no_threshold)) " "
                        a href={ (base) "/scans/" (scan.scan) } {
                            bdi { (plain(&scan.variant)) } " by " bdi { (plain(&scan.scanner)) } ", " (time::relative(&scan.at, request.now))
                        }
                    }
                }
            }
            td data-label="Open issues" {
                @if total(&target.open) == 0 { span class="soft" { "none" } }
                @for (severity, number) in by_severity(&target.open).into_iter().filter(|(_, number)| 0 < *number) {
                    span class={ "badge " (severity) } { (number) " " (severity) } " "
                }
                @if target.more_series { span class="hint" { "more from other scanners" } }
            }
            td class="number" data-label="Failing variants" { (target.failing_variants) }
        }
    }
}
