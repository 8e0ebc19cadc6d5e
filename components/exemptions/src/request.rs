//! Requests for exemptions: a body is checked against the scan in which the issue was seen.

use crate::issue_lookup::{FoundIssue, IssueLookup};
use crate::job::{CurrentState, ExemptionJob, check_count, numbered, reach_problem};
use api::Problem;
use api::body::{field, illegal, remark};
use api::internal::Services;
use api::v1::{ExemptionBody, ExemptionItem, RequestsBody};
use domain::exemption::{ExemptionEvent, ExemptionRequest, Reach, Reason, RequestedReach, Scope, Term};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScanId, TargetName};
use domain::limits::EXEMPTION_TITLE_CHARS_MAX;
use finding::severity::Severity;
use store::kv::Kv;

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// Requests an exemption.
    ///
    /// # Errors
    /// A field is not legal, the issue is not in the scan or target, the same request is pending, or the store failed.
    pub async fn request(&self, body: ExemptionBody) -> Result<ExemptionItem, Problem> {
        let id = self.exemption_id(0);
        let state = self.load().await?;
        let mut lookup = IssueLookup::new(self.context.kv, &self.context.project, &self.caller);
        let request = self.read_request(&state, &mut lookup, id, body).await?;
        self.append(&state, ExemptionEvent::Requested { request: Box::new(request) }).await?;
        self.get(id).await
    }

    /// Requests several exemptions, all or none.
    ///
    /// # Errors
    /// Those of [`request`](Self::request), with the number of the request that is wrong.
    pub async fn request_many(&self, body: RequestsBody) -> Result<Vec<ExemptionItem>, Problem> {
        check_count("requests", body.requests.len())?;
        let state = self.load().await?;
        let mut lookup = IssueLookup::new(self.context.kv, &self.context.project, &self.caller);
        let (mut ids, mut events) = (Vec::new(), Vec::new());
        for (at, body) in (0_u32..).zip(body.requests) {
            let id = self.exemption_id(at);
            let request = self.read_request(&state, &mut lookup, id, body).await;
            let request = Box::new(request.map_err(|problem| numbered(at, problem))?);
            ids.push(id);
            events.push(ExemptionEvent::Requested { request });
        }
        self.append(&state, ExemptionEvent::Many { events }).await?;
        self.items(&ids).await
    }

    /// The id of the exemption that the call's request at this place requests; a retry derives the same.
    fn exemption_id(&self, at: u32) -> ExemptionId {
        ExemptionId::derived("v2:exemption", &[&self.context.event.short().0, &at.to_be_bytes()])
    }

    /// Reads the request for the exemption `id`.
    async fn read_request(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        id: ExemptionId,
        body: ExemptionBody,
    ) -> Result<ExemptionRequest, Problem> {
        let (settings, now) = (&state.project.settings, self.context.now);
        let reason = field::<Reason>("reason", &body.reason)?;
        let term = Term::of_request(body.duration_days, body.until.as_deref(), body.unlimited, settings, now);
        let term = term.map_err(|error| illegal(error.field(), error))?;
        let text = remark("text", body.text.clone())?;
        if text.trim().is_empty() {
            return Err(illegal("text", "it must not be empty"));
        }
        let link = body.link.clone().map(read_link).transpose()?;
        let scope: Scope = field("scope", &body.scope)?;
        let issue = self.find_issue(state, lookup, &body).await?;
        let (reach, severity) = self.read_reach(state, lookup, &issue, scope, &body).await?;
        term.check(severity, settings, now).map_err(|error| illegal(error.field(), error))?;
        self.require_reach(&reach)?;
        Ok(ExemptionRequest {
            id,
            issue: issue.id,
            title: issue.title.chars().take(EXEMPTION_TITLE_CHARS_MAX).collect(),
            scanner: issue.scanner,
            severity,
            seen: issue.seen,
            reach,
            term,
            reason,
            text,
            link,
            returned_from: None,
            marks: Some(issue.marks),
            returned_because: None,
        })
    }

    /// Finds the issue in the scan that the request names, or in the newest scan of its target that has it.
    async fn find_issue(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        body: &ExemptionBody,
    ) -> Result<FoundIssue, Problem> {
        let issue: IssueId = field("issue", &body.issue)?;
        let target = body.target.as_deref().map(|target| field::<TargetName>("target", target)).transpose()?;
        let scan = body.scan.as_deref().map(|scan| field::<ScanId>("scan", scan)).transpose()?;
        let found = match (scan, &target) {
            (Some(scan), _) => lookup.in_scan(scan, issue).await?,
            (None, Some(name)) => {
                let target = state.project.targets.get(name).filter(|_| self.caller.covers(name));
                let unknown = || illegal("target", format_args!("target `{name}` does not exist"));
                lookup.in_target(target.ok_or_else(unknown)?.id, issue, self.context.now).await?
            }
            (None, None) => {
                return Err(illegal("target", "it is missing; name the `target` or the `scan` that has the issue"));
            }
        };
        if let Some(target) = target.filter(|target| *target != found.seen.target) {
            let (scan, own) = (found.seen.scan, &found.seen.target);
            return Err(illegal("target", format_args!("scan {scan} is of target `{own}`, not of `{target}`")));
        }
        Ok(found)
    }

    /// Reads the reach of a request, and the highest severity in it.
    async fn read_reach(
        &self,
        state: &CurrentState,
        lookup: &IssueLookup<'_, K>,
        issue: &FoundIssue,
        scope: Scope,
        body: &ExemptionBody,
    ) -> Result<(Reach, Severity), Problem> {
        let pipeline = body.pipeline.as_deref().filter(|_| scope == Scope::Pipeline);
        let pipeline = pipeline.map(|name| field::<PipelineName>("pipeline", name)).transpose()?;
        let ids = body.occurrences.iter().map(|id| field::<OccurrenceId>("occurrences", id));
        let ids: Vec<OccurrenceId> = ids.collect::<Result<_, _>>()?;
        let requested = RequestedReach::new(scope, issue.seen.clone(), pipeline, &ids, body.future_occurrences);
        match requested.map_err(reach_problem)? {
            RequestedReach::Issue(reach) => Ok((reach, issue.severity)),
            RequestedReach::Occurrences(mut chosen) => {
                lookup.each_occurrence(issue, |candidate| chosen.add(candidate)).await?;
                let reach = chosen.finish(issue.severity, &state.exemptions, self.context.now);
                reach.map_err(reach_problem)
            }
        }
    }
}

/// Reads the URL that a page can link to. Other schemes than HTTP are refused: they could run a script.
fn read_link(link: String) -> Result<String, Problem> {
    let link = remark("link", link)?;
    let scheme = link.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") if !link.chars().any(char::is_whitespace) => Ok(link),
        _ => Err(illegal("link", "it must be a URL that begins with `https://` or `http://` and has no spaces")),
    }
}
