//! A finished scan's issues, of which only those are read that are shown.

use crate::job::{Context, Seen, in_force};
use api::Problem;
use api::v1::{IssueExemption, IssueItem, IssueState};
use domain::comparison::{Bucket, ComparedIssue, Division, Identified};
use domain::exemption::Coverage;
use domain::grouping::{Issue, Rated, Span};
use domain::ids::{IssueId, ScanId};
use domain::listing::Entry;
use finding::severity::Severity;
use std::collections::BTreeSet;
use store::judging::{self, OccurrenceReader};
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, GateResult, Grouped, Remediated, issues_list, read_list_at, remediated_list};
use store::segments::read_at;

/// A scan's issues by place: first those that it has, then those that are gone.
pub(crate) struct Listed {
    pub(crate) id: ScanId,
    pub(crate) grouped: Grouped,
    pub(crate) compared: Compared,
    pub(crate) judged: GateResult,
    /// What choosing needs of each.
    pub(crate) entries: Vec<Entry>,
}

impl Listed {
    /// The issues of a scan that was judged.
    pub(crate) async fn of(kv: &impl Kv, id: ScanId) -> Result<Self, KvError> {
        let (grouped, compared) = (Grouped::get(kv, id).await?, Compared::get(kv, id).await?);
        Self::with(kv, id, grouped, compared).await
    }

    /// The same, where it is known how they are grouped and how they compare.
    pub(crate) async fn with(kv: &impl Kv, id: ScanId, grouped: Grouped, compared: Compared) -> Result<Self, KvError> {
        let judged = GateResult::get(kv, id).await?;
        let entries = judged.entries(kv, id).await?;
        Ok(Self { id, grouped, compared, judged, entries })
    }

    /// How many of them the scan has; the others are gone.
    pub(crate) fn own(&self) -> u32 {
        self.grouped.issues.records
    }

    /// All places with their entries.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.entries)
    }

    /// The place of the issue that goes by this id.
    pub(crate) async fn find(&self, kv: &impl Kv, id: IssueId) -> Result<Option<u32>, KvError> {
        let mark = Entry::mark(id);
        let maybe = self.places().filter(|(_, entry)| entry.mark == mark).map(|(at, _)| at).collect::<Vec<_>>();
        let (own, gone) = self.split(&maybe);
        let own_ids = self.identified(kv, own).await?.into_iter().map(|row| row.id);
        let ids = read_at::<Id>(kv, &remediated_list(self.id), &self.compared.remediated, gone.iter().copied()).await?;
        let ids: Vec<_> = own_ids.chain(ids.into_iter().map(|row| row.id)).collect();
        Ok(maybe.into_iter().zip(ids).find(|(_, known)| *known == id).map(|(at, _)| at))
    }

    /// The occurrences of the issue that goes by this id, with its other ids, if the scan has it.
    pub(crate) async fn span(&self, kv: &impl Kv, id: IssueId) -> Result<Option<Span>, KvError> {
        let Some(at) = self.find(kv, id).await?.filter(|at| *at < self.own()) else { return Ok(None) };
        let spans: Vec<Span> = read_at(kv, &issues_list(self.id), &self.grouped.issues, [at]).await?;
        Ok(spans.into_iter().next().map(|span| goes_by(span, id)))
    }

    /// All ids of the issue at this place.
    pub(crate) async fn names(&self, kv: &impl Kv, at: u32) -> Result<BTreeSet<IssueId>, KvError> {
        let (own, gone) = self.split(std::slice::from_ref(&at));
        let mut names = BTreeSet::new();
        for row in self.identified(kv, own).await? {
            names.insert(row.id);
            let others = self.judged.other_ids(kv, self.id).await?;
            names.extend(others.into_iter().filter(|(_, place)| *place == at).map(|(id, _)| id));
        }
        let list = remediated_list(self.id);
        for Remediated { issue, .. } in read_at(kv, &list, &self.compared.remediated, gone).await? {
            names.extend(issue.aliases.into_iter().chain([issue.id]));
        }
        Ok(names)
    }

    /// The level of the first issue that the scan has under one of these names, and how many occurrences it has.
    pub(crate) async fn named(
        &self,
        kv: &impl Kv,
        names: &BTreeSet<IssueId>,
    ) -> Result<Option<(Severity, u32)>, KvError> {
        let marks: BTreeSet<u16> = names.iter().map(|id| Entry::mark(*id)).collect();
        let others = self.judged.other_ids(kv, self.id).await?;
        let others: BTreeSet<u32> = others.into_iter().filter(|(id, _)| names.contains(id)).map(|(_, at)| at).collect();
        let own = self.places().take_while(|(at, _)| *at < self.own());
        let maybe = own.filter(|(at, entry)| marks.contains(&entry.mark) || others.contains(at));
        let maybe: Vec<(u32, Severity)> = maybe.map(|(at, entry)| (at, entry.level)).collect();
        let (key, places) = (keys::compared(self.id), maybe.iter().map(|(at, _)| *at));
        let rows: Vec<ComparedIssue> = read_list_at(kv, &key, "issues", &self.compared.issues, places).await?;
        let mut found = maybe.into_iter().zip(rows);
        let found = found.find(|((at, _), row)| names.contains(&row.id) || others.contains(at));
        Ok(found.map(|((_, level), row)| (level, row.division.new + row.division.common)))
    }

    /// The ids that issues of the scan go by.
    async fn identified(&self, kv: &impl Kv, places: &[u32]) -> Result<Vec<Identified<IssueId>>, KvError> {
        let (key, list) = (keys::compared(self.id), &self.compared.issues);
        read_list_at(kv, &key, "issues", list, places.iter().copied()).await
    }

    /// Places, which come in their order, of what the scan has, and of what is gone, counted from the first of that.
    pub(crate) fn split<'a>(&self, places: &'a [u32]) -> (&'a [u32], Vec<u32>) {
        let (own, gone) = places.split_at(places.partition_point(|at| *at < self.own()));
        (own, gone.iter().map(|at| at - self.own()).collect())
    }

    /// The issues at these places, which come in any order; `frozen` is the scan's.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn items(
        &self,
        context: &Context<'_, impl Kv>,
        frozen: &Frozen,
        wanted: &[u32],
    ) -> Result<Vec<IssueItem>, Problem> {
        let ordered: Vec<u32> = wanted.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let (own, gone) = self.split(&ordered);
        let seen = Seen::of(context.kv, frozen, &self.compared).await?;
        let mut items = self.own_items(context, frozen, &seen, own).await?;
        items.extend(self.gone_items(context.kv, &seen, &gone).await?);
        let item = |at| ordered.binary_search(at).ok().and_then(|at| items.get(at)).cloned();
        wanted
            .iter()
            .map(|at| item(at).ok_or_else(|| Problem::internal(format!("there is no issue at place {at}"))))
            .collect()
    }

    async fn own_items(
        &self,
        context: &Context<'_, impl Kv>,
        frozen: &Frozen,
        seen: &Seen,
        places: &[u32],
    ) -> Result<Vec<IssueItem>, Problem> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let (kv, at) = (context.kv, places.iter().copied());
        let issues: Vec<Issue> = read_at(kv, &issues_list(self.id), &self.grouped.issues, at.clone()).await?;
        let key = keys::compared(self.id);
        let rows: Vec<ComparedIssue> = read_list_at(kv, &key, "issues", &self.compared.issues, at).await?;
        let mut then = self.standings(kv, places).await?.into_iter().peekable();
        let all: Vec<_> = issues.iter().zip(&rows).map(|(issue, row)| (issue, Rated::from(issue), row)).collect();
        let names = async || Ok(all.iter().flat_map(|(_, rated, row)| rated.names(row.id)).collect());
        let (force, mut occurrences) = (in_force(context, frozen, names).await?, OccurrenceReader::new(kv, self.id));
        let mut items = Vec::new();
        for (issue, rated, row) in &all {
            let weighed = occurrences.weigh(rated, row, &force).await?;
            let standing = IssueState {
                id: row.id,
                bucket: row.bucket,
                division: row.division,
                first_seen: seen.first(row.seen)?,
                exemption: then.next_if(|standing| standing.issue == row.id).as_ref().map(exemption_item),
                exemption_now: judging::issue_exemption_state(rated, row, &weighed).as_ref().map(exemption_item),
            };
            items.push(IssueItem::new(issue, standing));
        }
        Ok(items)
    }

    /// How those of these issues stood to exemptions that did when the scan was judged.
    async fn standings(&self, kv: &impl Kv, places: &[u32]) -> Result<Vec<store::scans::IssueExemptionState>, KvError> {
        // The gate wrote one for each that did, in the order of the issues.
        let stood = self.places().filter(|(_, entry)| entry.exemption.is_some()).map(|(at, _)| at);
        let wanted = (0..).zip(stood).filter(|(_, at)| places.binary_search(at).is_ok()).map(|(rank, _)| rank);
        read_list_at(kv, &keys::judged(self.id), "standings", &self.judged.standings, wanted).await
    }

    async fn gone_items(&self, kv: &impl Kv, seen: &Seen, places: &[u32]) -> Result<Vec<IssueItem>, Problem> {
        let (list, at) = (remediated_list(self.id), places.iter().copied());
        let rows: Vec<Remediated> = read_at(kv, &list, &self.compared.remediated, at).await?;
        rows.into_iter().map(|row| gone_item(row, seen)).collect()
    }
}

/// An issue under the id that it goes by; that of its key is then among the others that it has.
pub(crate) fn goes_by(mut span: Span, id: IssueId) -> Span {
    let own = std::mem::replace(&mut span.id, id);
    span.aliases.push(own);
    span
}

/// The id that an issue goes by: a part of a [`Remediated`].
#[derive(serde::Deserialize)]
struct Id {
    id: IssueId,
}

fn gone_item(Remediated { issue, seen: first }: Remediated, seen: &Seen) -> Result<IssueItem, Problem> {
    let standing = IssueState {
        id: issue.id,
        bucket: Bucket::Remediated,
        division: Division { remediated: issue.occurrences, ..Division::default() },
        first_seen: seen.first(first)?,
        exemption: None,
        exemption_now: None,
    };
    Ok(IssueItem::new(&issue, standing))
}

fn exemption_item(standing: &store::scans::IssueExemptionState) -> IssueExemption {
    IssueExemption {
        state: standing.coverage,
        id: standing.exemption,
        occurrences: standing.exempted,
        severity: (standing.coverage == Coverage::PartiallyExempted).then(|| Severity::of(standing.left).to_string()),
    }
}
