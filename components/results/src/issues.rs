//! Pages of a scan's issues: filters and orders.

use crate::job::ResultsJob;
use crate::scan_issues::{Parts, ScanIssues};
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
use store::scans::{Compared, Frozen, issues_list, names_list, occurrences_list, remediated_list};
use store::segments::{Manifest, Reader, read_all, read_at};

/// The memory that a page takes for each issue of its scan, in bytes.
const BYTES_PER_ISSUE: usize = 40;
/// The memory that it takes instead if it is not sorted by severity, or filtered by a text.
const BYTES_PER_KEY: usize = 360;

impl<K: Kv> ResultsJob<'_, K> {
    /// A page of a scan's issues. By severity, the worst come first, and those last that the scan does not have.
    ///
    /// # Errors
    /// The scan does not exist, or the store failed.
    pub async fn issues(
        &self,
        id: ScanId,
        filter: &IssueFilter,
        sort: Sort,
        wanted: Wanted<usize>,
    ) -> Result<IssuesPage, Problem> {
        self.scan(id).await?;
        let kv = self.kv;
        let issues = ScanIssues::read(kv, id).await?;
        let each = if sort == Sort::Severity && filter.text.is_none() { BYTES_PER_ISSUE } else { BYTES_PER_KEY };
        let _held = (self.hold)(issues.entries.len().saturating_mul(each)).await;
        let from = wanted.from.unwrap_or(0);
        let frozen = Frozen::get(kv, id).await?;
        let unassigned_as = frozen.record.settings.unassigned_as;
        let selected = issues.indexed().filter(|(_, entry)| filter.matches(entry, unassigned_as));
        let mut selected: Vec<u32> = selected.map(|(at, _)| at).collect();
        if let Some(text) = &filter.text {
            // By severity, the issues after the page need not be read.
            let most =
                if sort == Sort::Severity { from.saturating_add(wanted.limit).saturating_add(1) } else { usize::MAX };
            selected = with_text(kv, &issues, text, &selected, most).await?;
        }
        let total = filter.text.is_none().then(|| u64::try_from(selected.len()).unwrap_or(u64::MAX));
        let selected = sorted(kv, &issues, sort, selected).await?;
        let page: Vec<u32> = selected.iter().copied().skip(from).take(wanted.limit).collect();
        let next = from.saturating_add(page.len());
        let more = !page.is_empty() && next < selected.len();
        let items = issues.items(self, &frozen, &page).await?;
        Ok(IssuesPage { items, next: more.then(|| encode(sort.list(), &next)), total })
    }

    /// An issue that a scan has, or that is remediated or not seen in it.
    ///
    /// # Errors
    /// The scan or the issue does not exist, or the store failed.
    pub async fn issue(&self, id: ScanId, issue: IssueId) -> Result<IssueItem, Problem> {
        self.scan(id).await?;
        let issues = ScanIssues::read(self.kv, id).await?;
        let _held = (self.hold)(issues.entries.len().saturating_mul(BYTES_PER_ISSUE)).await;
        let missing = || Problem::not_found(format!("scan {id} has no issue {issue}"));
        let at = issues.find(self.kv, issue).await?.ok_or_else(missing)?;
        let frozen = Frozen::get(self.kv, id).await?;
        issues.items(self, &frozen, &[at]).await?.pop().ok_or_else(missing)
    }
}

/// The indices of the issues that contain a text, at most `most`.
async fn with_text(
    kv: &impl Kv,
    issues: &ScanIssues,
    text: &SearchText,
    indices: &[u32],
    most: usize,
) -> Result<Vec<u32>, KvError> {
    let Parts { present, remediated, not_seen } = issues.split(indices);
    let remainder = issues.remainder(kv, &not_seen).await?;
    let mut hits = Vec::new();
    let paths = MatchingPaths::read(kv, issues, text).await?;
    let list = (issues_list(issues.id), &issues.grouped.issues);
    search(kv, list, present, &mut hits, most, |texts| texts.contain(text) || paths.any(texts)).await?;
    // The occurrences of a remediated issue are in another scan.
    let list = (remediated_list(issues.id), &issues.compared.remediated);
    search(kv, list, &remediated, &mut hits, most, |texts| texts.contain(text)).await?;
    if let Some(remainder) = remainder {
        let paths = MatchingPaths::read(kv, &remainder, text).await?;
        let list = (issues_list(remainder.id), &remainder.grouped.issues);
        search(kv, list, &not_seen, &mut hits, most, |texts| texts.contain(text) || paths.any(texts)).await?;
    }
    let found = indices.iter().zip(hits).filter(|(_, is_hit)| *is_hit);
    Ok(found.map(|(at, _)| *at).collect())
}

/// Reads the issues at ascending positions of a list and adds to `hits` if each is wanted, until `most` are.
async fn search(
    kv: &impl Kv,
    (list, manifest): (String, &Manifest),
    positions: &[u32],
    hits: &mut Vec<bool>,
    most: usize,
    is_wanted: impl Fn(&IssueTexts) -> bool,
) -> Result<(), KvError> {
    let Some(first) = positions.first() else { return Ok(()) };
    let mut reader = Reader::open(kv, &list, manifest, *first).await?;
    let mut found = hits.iter().filter(|is_hit| **is_hit).count();
    for at in positions {
        if found == most {
            break;
        }
        reader.skip_to(*at).await?;
        let texts: Option<IssueTexts> = reader.next().await?;
        let texts = texts.ok_or_else(|| KvError::Missing { key: format!("{list} record {at}") })?;
        let is_hit = is_wanted(&texts);
        found += usize::from(is_hit);
        hits.push(is_hit);
    }
    Ok(())
}

/// The texts of an issue that a filter searches: a part of an issue as it is stored.
#[derive(Deserialize)]
struct IssueTexts {
    title: String,
    rule: String,
    message: String,
    cwes: BTreeSet<u32>,
    #[serde(default)]
    advisories: BTreeSet<String>,
    #[serde(default)]
    package: Option<PackageName>,
    first: u32,
    occurrences: u32,
}

#[derive(Deserialize)]
struct PackageName {
    name: String,
}

impl IssueTexts {
    fn contain(&self, text: &SearchText) -> bool {
        let plain = [&self.title, &self.rule, &self.message].into_iter();
        let package = self.package.iter().map(|package| &package.name);
        plain.chain(&self.advisories).chain(package).any(|one| text.is_in(one))
            || self.cwes.iter().any(|cwe| text.is_in(&format!("CWE-{cwe}")))
    }
}

/// The occurrences of a scan whose path contains a text.
struct MatchingPaths {
    /// For each occurrence, true if its path contains the text; empty if no path does.
    matches: Vec<bool>,
}

/// The path of an occurrence, as an index of the scan's list of names: a part of it as it is stored.
#[derive(Deserialize)]
struct PathIndex {
    #[serde(default)]
    path: u32,
}

impl MatchingPaths {
    async fn read(kv: &impl Kv, issues: &ScanIssues, text: &SearchText) -> Result<Self, KvError> {
        let (mut names, mut at) = (BTreeSet::new(), 0);
        let list = names_list(issues.id);
        let mut reader = Reader::open(kv, &list, &issues.grouped.names, 0).await?;
        while let Some(PathOrVersion { text: name, .. }) = reader.next().await? {
            if text.is_in(&name) {
                names.insert(at);
            }
            at += 1;
        }
        let mut matches = Vec::new();
        if !names.is_empty() {
            let list = occurrences_list(issues.id);
            let mut reader = Reader::open(kv, &list, &issues.grouped.occurrences, 0).await?;
            while let Some(PathIndex { path }) = reader.next().await? {
                matches.push(names.contains(&path));
            }
        }
        Ok(Self { matches })
    }

    /// True if the path of one of the issue's occurrences contains the text.
    fn any(&self, issue: &IssueTexts) -> bool {
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        self.matches.iter().skip(size(issue.first)).take(size(issue.occurrences)).any(|matches| *matches)
    }
}

/// Sorts the indices of issues.
async fn sorted(kv: &impl Kv, issues: &ScanIssues, sort: Sort, mut indices: Vec<u32>) -> Result<Vec<u32>, Problem> {
    match sort {
        Sort::Severity => {}
        Sort::Title => {
            let titles = titles(kv, issues, &indices).await?;
            indices.sort_by_cached_key(|at| titles.get(at).cloned());
        }
        Sort::Occurrences => {
            let keys = sort_keys(kv, issues).await?;
            indices.sort_by_key(|at| key(&keys, *at).map(|key| Reverse(key.occurrences)));
        }
        Sort::FirstSeen => {
            let times = first_seen(kv, issues).await?;
            indices.sort_by_key(|at| key(&times, *at));
        }
        Sort::Newest => {
            let times = first_seen(kv, issues).await?;
            indices.sort_by_key(|at| key(&times, *at).map(Reverse));
        }
    }
    Ok(indices)
}

fn key<T: Copy>(keys: &[T], at: u32) -> Option<T> {
    keys.get(usize::try_from(at).ok()?).copied()
}

/// The titles of the issues at these indices in lower case.
async fn titles(kv: &impl Kv, issues: &ScanIssues, indices: &[u32]) -> Result<BTreeMap<u32, String>, KvError> {
    #[derive(Deserialize)]
    struct Titled {
        title: String,
    }
    let Parts { present, remediated, not_seen } = issues.split(indices);
    let lists = (issues_list(issues.id), remediated_list(issues.id));
    let mut titles: Vec<Titled> = read_at(kv, &lists.0, &issues.grouped.issues, present.iter().copied()).await?;
    titles.extend(read_at::<Titled>(kv, &lists.1, &issues.compared.remediated, remediated).await?);
    if let Some(remainder) = issues.remainder(kv, &not_seen).await? {
        titles.extend(read_at::<Titled>(kv, &issues_list(remainder.id), &remainder.grouped.issues, not_seen).await?);
    }
    Ok(indices.iter().copied().zip(titles.into_iter().map(|one| one.title.to_lowercase())).collect())
}

/// The sort keys of an issue.
#[derive(Clone, Copy)]
struct SortKey {
    /// The number of its occurrences; of one that the scan does not have, those that it had.
    occurrences: u32,
    /// The index of the scan that saw it first.
    seen: u32,
}

/// The sort keys of all issues, by index.
async fn sort_keys(kv: &impl Kv, issues: &ScanIssues) -> Result<Vec<SortKey>, KvError> {
    #[derive(Deserialize)]
    struct Present {
        seen: u32,
        division: Division,
    }
    #[derive(Deserialize)]
    struct Remediated {
        seen: u32,
        occurrences: u32,
    }
    let present: Vec<Present> = issues.compared.issues_as(kv, issues.id).await?;
    let list = remediated_list(issues.id);
    let remediated: Vec<Remediated> = read_all(kv, &list, &issues.compared.remediated).await?;
    let not_seen: Vec<Present> = match issues.compared.remainder_of(issues.id) {
        Some(remainder) => Compared::get(kv, remainder).await?.issues_as(kv, remainder).await?,
        None => Vec::new(),
    };
    let occurrences = |division: &Division| division.new + division.common;
    let key = |one: Present| SortKey { occurrences: occurrences(&one.division), seen: one.seen };
    let present = present.into_iter().map(key);
    let remediated = remediated.into_iter().map(|Remediated { seen, occurrences }| SortKey { occurrences, seen });
    Ok(present.chain(remediated).chain(not_seen.into_iter().map(key)).collect())
}

/// The times at which all issues were first seen, by index.
async fn first_seen(kv: &impl Kv, issues: &ScanIssues) -> Result<Vec<Option<Timestamp>>, KvError> {
    let origins = issues.compared.origins(kv, issues.id).await?;
    let at = |seen: u32| usize::try_from(seen).ok().and_then(|seen| origins.get(seen)).map(|origin| origin.at);
    Ok(sort_keys(kv, issues).await?.into_iter().map(|key| at(key.seen)).collect())
}
