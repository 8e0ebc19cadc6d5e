//! A scan's issues: which of them are asked for, and in which order.

use crate::job::{Context, scan};
use crate::listed::Listed;
use api::Problem;
use api::page::{Wanted, encode};
use api::v1::{IssueItem, IssuesPage};
use domain::comparison::Division;
use domain::grouping::PathOrVersion;
use domain::ids::{IssueId, ScanId};
use domain::listing::{IssueFilter, SearchText, Sort};
use domain::time::Timestamp;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::{Kv, KvError};
use store::scans::{Frozen, issues_list, names_list, occurrences_list, remediated_list};
use store::segments::{Reader, read_all, read_at};

/// What a page holds of each issue of its scan, in bytes.
const BYTES_PER_ISSUE: usize = 40;
/// What it holds more where it is sorted by something else than how bad they are, or a text is looked for.
const BYTES_PER_KEY: usize = 360;

/// A page of a scan's issues: those that it has, the worst first, and then those that are gone, unless another order is
/// asked for.
///
/// # Errors
/// There is no such scan, or the store failed.
pub async fn issues(
    context: &Context<'_, impl Kv>,
    id: ScanId,
    filter: &IssueFilter,
    sort: Sort,
    wanted: Wanted<usize>,
) -> Result<IssuesPage, Problem> {
    scan(context, id).await?;
    let kv = context.kv;
    let listed = Listed::of(kv, id).await?;
    let each = if sort == Sort::Severity && filter.text.is_none() { BYTES_PER_ISSUE } else { BYTES_PER_KEY };
    let _held = (context.hold)(listed.entries.len().saturating_mul(each)).await;
    let from = wanted.from.unwrap_or(0);
    let frozen = Frozen::get(kv, id).await?;
    let unassigned_as = frozen.record.settings.unassigned_as;
    let places = listed.places().filter(|(_, entry)| filter.matches(entry, unassigned_as));
    let mut chosen: Vec<u32> = places.map(|(at, _)| at).collect();
    if let Some(text) = &filter.text {
        // In this order the rest of the list need not be looked at once the page is full.
        let most =
            if sort == Sort::Severity { from.saturating_add(wanted.limit).saturating_add(1) } else { usize::MAX };
        chosen = with_text(kv, &listed, text, &chosen, most).await?;
    }
    let total = filter.text.is_none().then(|| u64::try_from(chosen.len()).unwrap_or(u64::MAX));
    let chosen = sorted(kv, &listed, sort, chosen).await?;
    let page: Vec<u32> = chosen.iter().copied().skip(from).take(wanted.limit).collect();
    let next = from.saturating_add(page.len());
    let more = !page.is_empty() && next < chosen.len();
    let items = listed.items(context, &frozen, &page).await?;
    Ok(IssuesPage { items, next: more.then(|| encode(sort.list(), &next)), total })
}

/// An issue of a scan, also one that is gone there.
///
/// # Errors
/// There is no such scan or issue, or the store failed.
pub async fn issue(context: &Context<'_, impl Kv>, id: ScanId, issue: IssueId) -> Result<IssueItem, Problem> {
    scan(context, id).await?;
    let listed = Listed::of(context.kv, id).await?;
    let _held = (context.hold)(listed.entries.len().saturating_mul(BYTES_PER_ISSUE)).await;
    let missing = || Problem::not_found(format!("scan {id} has no issue {issue}"));
    let at = listed.find(context.kv, issue).await?.ok_or_else(missing)?;
    let frozen = Frozen::get(context.kv, id).await?;
    listed.items(context, &frozen, &[at]).await?.pop().ok_or_else(missing)
}

/// The places of those of these issues that have a text, at most so many.
async fn with_text(
    kv: &impl Kv,
    listed: &Listed,
    text: &SearchText,
    places: &[u32],
    most: usize,
) -> Result<Vec<u32>, KvError> {
    let (here, gone) = (issues_list(listed.id), remediated_list(listed.id));
    let own = listed.own();
    let mut issues = Reader::open(kv, &here, &listed.grouped.issues, 0).await?;
    let mut rest = Reader::open(kv, &gone, &listed.compared.remediated, 0).await?;
    let paths = Paths::of(kv, listed, text).await?;
    let mut found = Vec::new();
    for place in places {
        if found.len() == most {
            break;
        }
        let (reader, at) = if *place < own { (&mut issues, *place) } else { (&mut rest, *place - own) };
        reader.skip_to(at).await?;
        let texts: Option<Texts> = reader.next().await?;
        let Some(texts) = texts else { break };
        // What is gone has its occurrences in another scan.
        if texts.have(text) || (*place < own && paths.any(texts.first, texts.occurrences)) {
            found.push(*place);
        }
    }
    Ok(found)
}

/// The texts of an issue in which one is looked for: a part of an issue as it is stored.
#[derive(Deserialize)]
struct Texts {
    title: String,
    rule: String,
    message: String,
    cwes: BTreeSet<u32>,
    #[serde(default)]
    advisories: BTreeSet<String>,
    #[serde(default)]
    package: Option<Named>,
    first: u32,
    occurrences: u32,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Texts {
    fn have(&self, text: &SearchText) -> bool {
        let plain = [&self.title, &self.rule, &self.message].into_iter();
        let package = self.package.iter().map(|package| &package.name);
        plain.chain(&self.advisories).chain(package).any(|one| text.is_in(one))
            || self.cwes.iter().any(|cwe| text.is_in(&format!("CWE-{cwe}")))
    }
}

/// The occurrences whose path has the text.
struct Paths {
    /// Of each occurrence of the scan; nothing where no path has the text.
    have: Vec<bool>,
}

/// The path of an occurrence, as a place in the scan's list of names: a part of it as it is stored.
#[derive(Deserialize)]
struct PathOf {
    #[serde(default)]
    path: u32,
}

impl Paths {
    async fn of(kv: &impl Kv, listed: &Listed, text: &SearchText) -> Result<Self, KvError> {
        let (mut names, mut at) = (BTreeSet::new(), 0);
        let list = names_list(listed.id);
        let mut reader = Reader::open(kv, &list, &listed.grouped.names, 0).await?;
        while let Some(PathOrVersion { text: name, .. }) = reader.next().await? {
            if text.is_in(&name) {
                names.insert(at);
            }
            at += 1;
        }
        let mut have = Vec::new();
        if !names.is_empty() {
            let list = occurrences_list(listed.id);
            let mut reader = Reader::open(kv, &list, &listed.grouped.occurrences, 0).await?;
            while let Some(PathOf { path }) = reader.next().await? {
                have.push(names.contains(&path));
            }
        }
        Ok(Self { have })
    }

    /// Whether one of so many occurrences from the place `first` on has it.
    fn any(&self, first: u32, count: u32) -> bool {
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
        self.have.iter().skip(place(first)).take(place(count)).any(|has| *has)
    }
}

/// The places in this order.
async fn sorted(kv: &impl Kv, listed: &Listed, sort: Sort, mut places: Vec<u32>) -> Result<Vec<u32>, Problem> {
    match sort {
        Sort::Severity => {}
        Sort::Title => {
            let titles = titles(kv, listed, &places).await?;
            places.sort_by_cached_key(|at| titles.get(at).cloned());
        }
        Sort::Occurrences => {
            let facts = facts(kv, listed).await?;
            places.sort_by_key(|at| fact(&facts, *at).map(|fact| Reverse(fact.occurrences)));
        }
        Sort::FirstSeen => {
            let times = times(kv, listed).await?;
            places.sort_by_key(|at| fact(&times, *at));
        }
        Sort::Newest => {
            let times = times(kv, listed).await?;
            places.sort_by_key(|at| fact(&times, *at).map(Reverse));
        }
    }
    Ok(places)
}

fn fact<T: Copy>(facts: &[T], at: u32) -> Option<T> {
    facts.get(usize::try_from(at).ok()?).copied()
}

/// The titles of the issues at these places, as they are sorted.
async fn titles(kv: &impl Kv, listed: &Listed, places: &[u32]) -> Result<BTreeMap<u32, String>, KvError> {
    #[derive(Deserialize)]
    struct Titled {
        title: String,
    }
    let (own, gone) = listed.split(places);
    let (here, there) = (issues_list(listed.id), remediated_list(listed.id));
    let mut titles: Vec<Titled> = read_at(kv, &here, &listed.grouped.issues, own.iter().copied()).await?;
    titles.extend(read_at::<Titled>(kv, &there, &listed.compared.remediated, gone).await?);
    Ok(places.iter().copied().zip(titles.into_iter().map(|one| one.title.to_lowercase())).collect())
}

/// What orders need of an issue.
#[derive(Clone, Copy)]
struct Fact {
    /// How many occurrences it has; of one that is gone, how many it had.
    occurrences: u32,
    /// Which scan saw it first.
    seen: u32,
}

/// Of every issue, by place.
async fn facts(kv: &impl Kv, listed: &Listed) -> Result<Vec<Fact>, KvError> {
    #[derive(Deserialize)]
    struct Own {
        seen: u32,
        division: Division,
    }
    #[derive(Deserialize)]
    struct Gone {
        seen: u32,
        occurrences: u32,
    }
    let own: Vec<Own> = listed.compared.issues_as(kv, listed.id).await?;
    let gone: Vec<Gone> = read_all(kv, &remediated_list(listed.id), &listed.compared.remediated).await?;
    let own = own.into_iter().map(|one| Fact { occurrences: one.division.new + one.division.common, seen: one.seen });
    Ok(own.chain(gone.into_iter().map(|Gone { seen, occurrences }| Fact { occurrences, seen })).collect())
}

/// Since when every issue is known, by place.
async fn times(kv: &impl Kv, listed: &Listed) -> Result<Vec<Option<Timestamp>>, KvError> {
    let origins = listed.compared.origins(kv, listed.id).await?;
    let at = |seen: u32| usize::try_from(seen).ok().and_then(|seen| origins.get(seen)).map(|origin| origin.at);
    Ok(facts(kv, listed).await?.into_iter().map(|fact| at(fact.seen)).collect())
}
