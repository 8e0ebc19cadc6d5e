//! What fails, what exemptions want, and the targets.

use super::trend::{by_level, total};
use crate::pages::targets::words;
use crate::view::list::{count, empty};
use crate::view::text::plain;
use crate::view::{badge, time};
use crate::visit::Visit;
use api::path::segment;
use api::v1::{Overview, OverviewExemptions, OverviewTarget};
use domain::role::Right;
use maud::{Markup, html};

/// The variants whose newest scan did not pass.
pub(crate) fn failing<A>(visit: &Visit<'_, A>, base: &str, overview: &Overview) -> Markup {
    let more = overview.failing_total.saturating_sub(u64::try_from(overview.failing.len()).unwrap_or(u64::MAX));
    html! {
        section class="stack tight" {
            h2 { "Failing gates" }
            @if overview.failing.is_empty() {
                (empty("Every gate passes.", &html! { "No variant's newest scan failed or is undecided." }))
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
                                        (badge::verdict(one.verdict)) " "
                                        a href={ (base) "/scans/" (one.scan) } { "Scan " (time::relative(&one.at, visit.now)) }
                                    }
                                }
                            }
                        }
                    }
                    @if 0 < more { p class="hint more" { "And " (count(more, "variant")) " more." } }
                }
            }
        }
    }
}

/// The exemptions that want attention.
pub(crate) fn exemptions<A>(visit: &Visit<'_, A>, base: &str, of: &OverviewExemptions) -> Markup {
    let base = format!("{base}/exemptions");
    let pending = match visit.may(Right::Decide) {
        true => format!("{} to decide on", count(of.pending, "request")),
        false => format!("{} to be decided", count(of.pending, "request")),
    };
    let ending = format!("{} within {}", verb(of.ending, "ends", "end"), count(u64::from(of.ending_days), "day"));
    html! {
        section class="stack tight" {
            h2 { "Exemptions" }
            ul class="card stack tight" {
                li class="row middle" {
                    a href={ (base) "?status=pending" } { (pending) }
                    @if 0 < of.pending { span class="badge pending" { "Pending" } }
                }
                li { a href={ (base) "?status=expiring&within=" (of.ending_days) } { (ending) } }
                li { a href={ (base) "?status=approved" } { (of.approved) " in force" } }
            }
        }
    }
}

fn verb(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The targets.
pub(crate) fn targets<A>(visit: &Visit<'_, A>, base: &str, overview: &Overview) -> Markup {
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
                            th scope="col" { "Last scan" }
                            th scope="col" { "Open issues" }
                            th scope="col" class="number" { "Failing variants" }
                        }
                    }
                    tbody { @for target in &overview.targets { (row(visit, base, target)) } }
                }
                @if overview.more_targets {
                    p class="hint more" {
                        "Those scanned most recently. " a href={ (base) "/targets" } { "All targets" }
                    }
                }
            }
        }
    }
}

fn row<A>(visit: &Visit<'_, A>, base: &str, target: &OverviewTarget) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ (base) "/targets/" (segment(&target.id)) } { bdi { (target.id) } } }
            td class="nowrap" data-label="Type" { (badge::capitalised(target.target_type.as_str())) }
            td data-label="Baseline" { (words::means(&target.baseline)) }
            td data-label="Last scan" {
                @match &target.last_scan {
                    None => "never",
                    Some(scan) => {
                        (badge::verdict(scan.verdict)) " "
                        a href={ (base) "/scans/" (scan.scan) } {
                            bdi { (plain(&scan.variant)) } " by " bdi { (plain(&scan.scanner)) } ", " (time::relative(&scan.at, visit.now))
                        }
                    }
                }
            }
            td data-label="Open issues" {
                @if total(&target.open) == 0 { span class="soft" { "none" } }
                @for (level, number) in by_level(&target.open).into_iter().filter(|(_, number)| 0 < *number) {
                    span class={ "badge " (level) } { (number) " " (level) } " "
                }
                @if target.more_series { span class="hint" { "and those of further scanners" } }
            }
            td class="number" data-label="Failing variants" { (target.failing_variants) }
        }
    }
}
