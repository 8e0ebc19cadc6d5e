//! The subject of a decision: the issue, the selected occurrences with their code, their changes since they were judged
//! before, and the targets with the issue.

use crate::address;
use crate::client::Api;
use crate::pages::issue::occurrences::{code, location};
use crate::request::PageRequest;
use crate::view::text::{cut, plain};
use crate::view::{badge, diff, list};
use api::Problem;
use api::page::Page;
use api::path::segment;
use api::v1::{AffectedTarget, ExemptionItem, IssueItem, OccurrenceItem};
use domain::exemption::Scope;
use domain::ids::{ExemptionId, OccurrenceId};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The most occurrences that are shown; the page of the issue has the others.
const PLACES_SHOWN: usize = 20;
/// The occurrences shown of an exemption of a whole issue.
const EXAMPLES_SHOWN: usize = 3;
/// The occurrences of a page of the API.
const PER_PAGE: usize = 100;
/// The most pages that are searched for selected occurrences.
const PAGES_MAX: usize = 5;
/// The most targets that are searched.
const TARGETS_MAX: usize = 50;
/// The longest fact, in characters.
const FACT_CHARS_MAX: usize = 300;

/// The subject of a decision. Parts that are no longer stored are absent.
pub(super) struct Subject {
    issue: Option<IssueItem>,
    /// The selected occurrences; of a whole issue, examples.
    places: Vec<OccurrenceItem>,
    /// The targets that were searched, with the issue or without.
    targets: Option<Page<AffectedTarget>>,
    before: Option<Before>,
}

/// The exemption that a request returned from, and what was judged.
struct Before {
    id: ExemptionId,
    /// The exemption; absent if it was removed from the list.
    from: Option<ExemptionItem>,
    /// The occurrences as they were judged, of an exemption of occurrences.
    places: Vec<OccurrenceItem>,
    /// The issue as it was judged, of an exemption of a whole issue.
    issue: Option<IssueItem>,
}

/// Loads what an exemption is about.
///
/// # Errors
/// The API failed.
pub(super) async fn load<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    item: &ExemptionItem,
) -> Result<Subject, Problem> {
    let (issue, places, targets, before) = futures::try_join!(
        async { request.api.find(&address::api(&address::issue(project, item.scan, &item.issue))).await },
        occurrences(request, project, item),
        targets(request, project, item),
        before(request, project, item),
    )?;
    Ok(Subject { issue, places, targets, before })
}

/// The selected occurrences of an exemption in the scan of its request; of a whole issue, the first ones.
async fn occurrences<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    item: &ExemptionItem,
) -> Result<Vec<OccurrenceItem>, Problem> {
    let path = format!("{}/occurrences", address::api(&address::issue(project, item.scan, &item.issue)));
    let wanted: BTreeSet<OccurrenceId> = item.occurrences.iter().copied().take(PLACES_SHOWN).collect();
    if wanted.is_empty() {
        let page: Option<Page<OccurrenceItem>> = request.api.find(&format!("{path}?limit={EXAMPLES_SHOWN}")).await?;
        return Ok(page.map(|page| page.items).unwrap_or_default());
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let from = address::query([("cursor", cursor.as_str())]);
        let page: Option<Page<OccurrenceItem>> = request.api.find(&format!("{path}?limit={PER_PAGE}{from}")).await?;
        let Some(page) = page else { break };
        found.extend(page.items.into_iter().filter(|place| wanted.contains(&place.id)));
        match page.next {
            Some(next) if found.len() < wanted.len() => cursor = next,
            _ => break,
        }
    }
    Ok(found)
}

/// The targets with the issue. For the scopes of one target they make no difference, unless a wider one is approved.
async fn targets<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    item: &ExemptionItem,
) -> Result<Option<Page<AffectedTarget>>, Problem> {
    let (project, issue, scan) = (address::api(&address::project(project)), segment(&item.issue), item.scan);
    request.api.find(&format!("{project}/issues/{issue}/targets?scan={scan}&limit={TARGETS_MAX}")).await
}

async fn before<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    item: &ExemptionItem,
) -> Result<Option<Before>, Problem> {
    let Some(id) = item.returned_from else { return Ok(None) };
    let path = address::api(&address::exemption(project, id));
    let Some(from) = request.api.find::<ExemptionItem>(&path).await? else {
        return Ok(Some(Before { id, from: None, places: Vec::new(), issue: None }));
    };
    if item.occurrences.is_empty() {
        let issue = request.api.find(&address::api(&address::issue(project, from.scan, &from.issue))).await?;
        return Ok(Some(Before { id, from: Some(from), places: Vec::new(), issue }));
    }
    // Only the occurrences that returned; an occurrence keeps its id.
    let occurrences = item.occurrences.clone();
    let places = self::occurrences(request, project, &ExemptionItem { occurrences, ..from.clone() }).await?;
    Ok(Some(Before { id, from: Some(from), places, issue: None }))
}

impl Subject {
    /// The section of the page.
    pub(super) fn section(&self, project: &str, item: &ExemptionItem) -> Markup {
        let is_selected = !item.occurrences.is_empty();
        html! {
            section class="card stack" aria-labelledby="subject" {
                h2 id="subject" { "What the exemption covers" }
                dl class="facts" {
                    (self.facts(item))
                    dt { "Targets" } dd { (self.targets(project, item)) }
                }
                @if let Some(before) = &self.before {
                    p class="hint" {
                        "Below is what changed since "
                        a href=(address::exemption(project, before.id)) { "the exemption that covered it before" } "."
                    }
                    @if !is_selected { (self.judged(before, item)) }
                }
                @if is_selected { h3 { "Selected occurrences " span class="soft" { "(" (item.occurrences.len()) ")" } } }
                @else if !self.places.is_empty() {
                    h3 { "Occurrences " @if let Some(issue) = &self.issue { span class="soft" { "(" (issue.occurrences.total) ", and future ones)" } } }
                }
                @for place in &self.places { (self.place(place, is_selected)) }
                (self.missing(project, item))
            }
        }
    }

    /// The severity and the names that were judged before, and those now.
    fn judged(&self, before: &Before, item: &ExemptionItem) -> Markup {
        html! {
            @match &before.from {
                None => p class="hint" { "That exemption is not stored any more." },
                Some(from) => dl class="facts" {
                    dt { "Judged before" }
                    dd { (state(from.approved_severity.as_ref().unwrap_or(&from.severity), before.issue.as_ref())) }
                    dt { "Now" }
                    dd { (state(&item.severity, self.issue.as_ref())) }
                    @if let Some(because) = &item.returned_because { dt { "Returned because" } dd class="break" { (plain(because)) } }
                },
            }
        }
    }

    fn facts(&self, item: &ExemptionItem) -> Markup {
        let Some(issue) = &self.issue else {
            return html! { dt { "Severity" } dd { (badge::severity(&item.severity)) " at the request" } };
        };
        html! {
            dt { "Severity" }
            dd {
                (badge::severity(&issue.severity))
                @if let Some(score) = issue.score { " " (format!("{score:.1}")) " of 10" }
                @if issue.severity != item.severity { "; at the request " (badge::severity(&item.severity)) }
                @if issue.known_exploited { "; " strong { "known to be exploited" } }
            }
            dt { "Rule" }
            dd { code { (cut(&issue.rule, FACT_CHARS_MAX)) } }
            @if !issue.advisories.is_empty() {
                dt { "Advisories" } dd { (cut(&issue.advisories.join(", "), FACT_CHARS_MAX)) }
            }
            @if let Some(package) = &issue.package {
                dt { "Package" }
                dd {
                    bdi { (cut(&package.name, FACT_CHARS_MAX)) } " " (cut(&package.versions.join(", "), FACT_CHARS_MAX))
                    @if !package.fixed_versions.is_empty() {
                        "; fixed in " (cut(&package.fixed_versions.join(", "), FACT_CHARS_MAX))
                    }
                }
            }
        }
    }

    fn targets(&self, project: &str, item: &ExemptionItem) -> Markup {
        let is_one = matches!(item.scope, Scope::Occurrences | Scope::Target);
        let affected = self.targets.iter().flat_map(|page| &page.items).filter(|target| target.affected);
        let others: Vec<_> = affected.filter(|target| !is_one || target.id != item.target).collect();
        let more = self.targets.as_ref().is_some_and(|page| page.next.is_some());
        html! {
            @if is_one {
                "Only " bdi { (plain(&item.target)) } "."
                @if !others.is_empty() { " The issue is also in:" }
            } @else if others.is_empty() { "None has the issue in its baseline." }
            @if !others.is_empty() {
                ul {
                    @for target in others {
                        li {
                            a href=(address::issue(project, target.scan, &item.issue)) { bdi { (plain(&target.id)) } }
                            " (" bdi { (plain(&target.variant)) } "), "
                            (list::count(target.occurrences.into(), "occurrence"))
                            @if let Some(severity) = &target.severity { " " (badge::severity(severity)) }
                        }
                    }
                }
            }
            @if more { p class="hint" { "More targets exist, which were not checked." } }
        }
    }

    /// An occurrence with its code, or with what changed since it was judged before.
    fn place(&self, place: &OccurrenceItem, is_selected: bool) -> Markup {
        let judged = self.before.as_ref().filter(|_| is_selected);
        let before = judged.map(|before| before.places.iter().find(|old| old.id == place.id));
        html! {
            div class="card stack tight occurrence" {
                strong class="break" { (location(place)) }
                @if let Some(package) = place.package.as_ref().filter(|_| place.path.is_some()) {
                    p class="break" { bdi { (cut(&package.name, FACT_CHARS_MAX)) } @if let Some(version) = &package.version { " " (cut(version, FACT_CHARS_MAX)) } }
                }
                @if !place.message.is_empty() { p class="break" { (cut(&place.message, FACT_CHARS_MAX)) } }
                @match before {
                    None => (code(place)),
                    Some(None) => {
                        p class="hint" { "The code that was judged before is not stored any more." }
                        (code(place))
                    }
                    Some(Some(old)) => (changes(old, place)),
                }
            }
        }
    }

    /// The parts of the selection that are not shown.
    fn missing(&self, project: &str, item: &ExemptionItem) -> Markup {
        let rest = item.occurrences.len().saturating_sub(self.places.len());
        let issue = address::issue(project, item.scan, &item.issue);
        html! {
            @if self.issue.is_none() {
                p class="notice care" { "The scan in which the issue was seen has it no more, so its occurrences cannot be shown." }
            } @else if rest > 0 {
                p { (list::count(u64::try_from(rest).unwrap_or(u64::MAX), "more occurrence")) ": " a href=(issue) { "see the issue in its scan" } "." }
            }
        }
    }
}

/// A severity with the names of the issue, and what was known of its exploitation.
fn state(severity: &str, issue: Option<&IssueItem>) -> Markup {
    html! {
        (badge::severity(severity))
        @match issue {
            Some(issue) => {
                " " (cut(&std::iter::once(&issue.rule).chain(&issue.advisories).map(String::as_str).collect::<Vec<_>>().join(", "), FACT_CHARS_MAX))
                @if issue.known_exploited { "; " strong { "known to be exploited" } }
            }
            None => " (its scan has the issue no more)",
        }
    }
}

/// The changes of an occurrence: of its place and of its code.
fn changes(old: &OccurrenceItem, new: &OccurrenceItem) -> Markup {
    let lines = |item: &OccurrenceItem| item.code.as_ref().map(|code| code.lines.clone()).unwrap_or_default();
    let (before, after) = (lines(old), lines(new));
    html! {
        @if old.path != new.path { p { "Moved from " span class="break" { (location(old)) } "." } }
        @if old.severity != new.severity { p { "Severity: was " (badge::severity(&old.severity)) ", is " (badge::severity(&new.severity)) "." } }
        @if old.message != new.message {
            p class="break" { "Message before: " (cut(&old.message, FACT_CHARS_MAX)) }
        }
        @if before == after { (code(new)) } @else { (diff::code(&before, &after)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, ISSUE, OTHER, SCAN, issue, occurrence, session, with_get};
    use domain::role::Role;
    use serde_json::{Value, json};

    const FROM: &str = "09090909090909090909090909090909";
    const EARLIER: &str = "08080808080808080808080808080808";

    fn item(fields: &Value) -> ExemptionItem {
        let mut item = json!({
            "id": "0a", "status": "pending", "issue": ISSUE, "title": "t", "severity": "high", "scanner": "bandit",
            "scope": "occurrences", "target": "web", "occurrences": [OTHER], "scan": SCAN, "duration_days": 30,
            "reason": "other", "text": "why", "requested_by": "bob", "requested_at": "2026-11-20T00:00:00Z", "version": 1
        });
        for (name, value) in fields.as_object().unwrap() {
            item[name] = value.clone();
        }
        serde_json::from_value(item).unwrap()
    }

    fn issue_path(scan: &str) -> String {
        format!("GET /api/v1/projects/shop/scans/{scan}/issues/{ISSUE}")
    }

    fn target(name: &str) -> Value {
        json!({"id": name, "variant": "main", "scan": SCAN, "occurrences": 2, "severity": "low", "affected": name != "clean"})
    }

    fn api() -> FakeApi {
        let targets = json!({"items": [target("web"), target("api<b>"), target("clean")]});
        FakeApi::default()
            .answer(&issue_path(SCAN), &issue("Shell"))
            .answer(&format!("{}/occurrences?limit=100", issue_path(SCAN)), &json!({"items": [occurrence()]}))
            .answer(&format!("{}/occurrences?limit=3", issue_path(SCAN)), &json!({"items": [occurrence()]}))
            .answer(&format!("GET /api/v1/projects/shop/issues/{ISSUE}/targets?scan={SCAN}&limit=50"), &targets)
    }

    fn shown(api: &FakeApi, item: &ExemptionItem) -> String {
        let session = session(Role::Secops);
        with_get(api, &session, "/", async |request| {
            load(request, "shop", item).await.unwrap().section("shop", item).into_string()
        })
    }

    #[test]
    fn selected_occurrences_are_shown_with_their_code_and_not_as_ids() {
        let page = shown(&api(), &item(&json!({})));
        for part in [
            "<bdi>src/app.py</bdi>:8",
            "<mark>    subprocess.call(arg, shell=True)</mark>",
            "9.5 of 10; at the request",
            "Only <bdi>web</bdi>. The issue is also in:",
            "<bdi>api&lt;b&gt;</bdi>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(OTHER) && !page.contains("clean") && !page.contains("more occurrence"), "{page}");
    }

    #[test]
    fn a_wider_scope_shows_every_target_with_the_issue() {
        let page = shown(&api(), &item(&json!({"scope": "project", "occurrences": []})));
        assert!(page.contains("<bdi>web</bdi></a>") && page.contains("(1, and future ones)"), "{page}");
        assert!(!page.contains("Only"), "{page}");
    }

    #[test]
    fn what_returned_to_review_is_compared_with_what_was_judged_before() {
        let mut old = occurrence();
        old["path"] = json!("src/old.py");
        old["code"]["lines"] = json!(["def run(arg):", "    subprocess.call([arg])"]);
        let path = format!("{}/occurrences?limit=100", issue_path(EARLIER));
        let api = api()
            .answer(&format!("GET /api/v1/projects/shop/exemptions/{FROM}"), &item(&json!({"scan": EARLIER})))
            .answer(&path, &json!({"items": [old]}));
        let back = item(&json!({"returned_from": FROM}));
        let page = shown(&api, &back);
        for part in [
            "Moved from <span class=\"break\"><bdi>src/old.py</bdi>:8</span>.",
            "<del>    subprocess.call([arg])</del>",
            "<ins>    subprocess.call(arg, shell=True)</ins>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let page = shown(&self::api(), &back);
        assert!(page.contains("is not stored any more") && page.contains("<mark>"), "{page}");
    }

    #[test]
    fn of_a_whole_issue_the_judged_severity_and_names_are_shown_beside_those_now() {
        let mut old = issue("Shell");
        old["severity"] = json!("low");
        let from = item(&json!({"scope": "project", "occurrences": [], "severity": "low", "scan": EARLIER}));
        let path = format!("GET /api/v1/projects/shop/exemptions/{FROM}");
        let mut now = issue("Shell");
        now["advisories"] = json!(["CVE-2026-1"]);
        let api = api().answer(&path, &from).answer(&issue_path(EARLIER), &old).answer(&issue_path(SCAN), &now);
        let back = item(&json!({
            "scope": "project", "occurrences": [], "returned_from": FROM, "severity": "critical",
            "returned_because": "It was low when it was approved and is critical now. <b>"
        }));
        let page = shown(&api, &back);
        let facts = page.split("Judged before").nth(1).unwrap();
        let (before, after) = facts.split_once("<dt>Now</dt>").unwrap();
        assert!(before.contains("low") && before.contains("B602") && !before.contains("CVE-2026-1"), "{before}");
        assert!(after.contains("critical") && after.contains("B602, CVE-2026-1"), "{after}");
        assert!(after.contains("and is critical now. &lt;b&gt;") && !page.contains("is not stored any more"), "{page}");
        assert!(page.contains("<mark>"), "the examples are shown with their code: {page}");
        let gone = shown(&self::api(), &back);
        assert!(
            gone.contains("That exemption is not stored any more.") && !gone.contains("The code that was"),
            "{gone}"
        );
    }

    #[test]
    fn what_is_no_longer_stored_is_said() {
        let page = shown(&FakeApi::default(), &item(&json!({})));
        assert!(page.contains("its occurrences cannot be shown"), "{page}");
        let two = item(&json!({"occurrences": [OTHER, FROM]}));
        assert!(shown(&api(), &two).contains("1 more occurrence: <a"), "an occurrence beyond those shown");
    }
}
