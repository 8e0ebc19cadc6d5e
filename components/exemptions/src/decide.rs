//! Decisions on exemptions.

use crate::issue_lookup::IssueLookup;
use crate::job::{CurrentState, ExemptionJob, check_count, numbered, reach_problem};
use api::Problem;
use api::body::{field, illegal, remark};
use api::internal::{AnyEvent, Append, Services};
use api::problem::Code;
use api::v1::{BulkDecision, DecisionBody, DecisionsBody, ExemptionItem};
use domain::exemption::{
    Decision, ExemptibleOccurrence, Exemption, ExemptionEvent, Judged, Pointer, PromotedEvent, Reach, ReachError,
    Scope, Status,
};
use domain::ids::{EventId, ExemptionId, PipelineName, ScanId};
use domain::role::Right;
use finding::severity::Severity;
use store::kv::Kv;

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// Decides on an exemption.
    ///
    /// # Errors
    /// The exemption does not exist, it is no longer the version that was decided on, its status does not allow the
    /// decision, the caller lacks a permission, or the store failed.
    pub async fn decide(
        &self,
        id: ExemptionId,
        decision: Decision,
        body: DecisionBody,
    ) -> Result<ExemptionItem, Problem> {
        let state = self.load().await?;
        let mut lookup = IssueLookup::new(self.context.kv, &self.context.project, &self.caller);
        let event = self.decision_event(&state, &mut lookup, id, decision, body).await?;
        self.promote(&state, std::slice::from_ref(&event)).await?;
        self.append(&state, event).await?;
        self.get(id).await
    }

    /// Decides on several exemptions, all or none.
    ///
    /// # Errors
    /// Those of [`decide`](Self::decide), with the number of the decision that is wrong.
    pub async fn decide_many(&self, body: DecisionsBody) -> Result<Vec<ExemptionItem>, Problem> {
        check_count("decisions", body.decisions.len())?;
        let state = self.load().await?;
        let mut lookup = IssueLookup::new(self.context.kv, &self.context.project, &self.caller);
        let (mut ids, mut events) = (Vec::new(), Vec::new());
        for (at, one) in (0_u32..).zip(body.decisions) {
            let read = self.one_of_many(&state, &mut lookup, one).await;
            let (id, event) = read.map_err(|problem| numbered(at, problem))?;
            if ids.contains(&id) {
                return Err(numbered(at, illegal("id", format_args!("exemption {id} appears twice"))));
            }
            ids.push(id);
            events.push(event);
        }
        self.promote(&state, &events).await?;
        self.append(&state, ExemptionEvent::Many { events }).await?;
        self.items(&ids).await
    }

    async fn one_of_many(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        one: BulkDecision,
    ) -> Result<(ExemptionId, ExemptionEvent), Problem> {
        let BulkDecision { id, decision, comment, scope, pipeline, scan, version } = one;
        let decision: Decision = field("decision", &decision)?;
        // A call for a single decision declares its right; this one is for all of them.
        self.caller.require(&self.context.project, decision.right())?;
        let id: ExemptionId = field("id", &id)?;
        let body = DecisionBody { comment, scope, pipeline, scan, version };
        Ok((id, self.decision_event(state, lookup, id, decision, body).await?))
    }

    /// The event of a decision on an exemption.
    async fn decision_event(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        id: ExemptionId,
        decision: Decision,
        body: DecisionBody,
    ) -> Result<ExemptionEvent, Problem> {
        let comment = remark("comment", body.comment)?;
        let scope = body.scope.as_deref().map(|scope| field::<Scope>("scope", scope)).transpose()?;
        let pipeline = body.pipeline.as_deref().map(|name| field::<PipelineName>("pipeline", name)).transpose()?;
        decision.check_scope(scope, pipeline.as_ref()).map_err(reach_problem)?;
        let scan = body.scan.as_deref().map(|scan| field::<ScanId>("scan", scan)).transpose()?;
        if scan.is_some() && decision != Decision::Approve {
            return Err(illegal("scan", "only an approval has it"));
        }
        let exemption = self.find(state, id)?;
        exemption.check_version(body.version, self.context.event)?;
        self.require_reach(exemption.reach())?;
        // An approval for the installation counts in projects that this project's members cannot see.
        if exemption.status(self.context.now) == Status::Approved && *exemption.reach() == Reach::Account {
            self.caller.require_installation()?;
        }
        let mut judged = None;
        let (granted, own) = match decision {
            Decision::Approve => {
                let granted = self.granted_reach(exemption, scope, pipeline, reach_problem)?;
                if let Some(scan) = scan {
                    judged = Some(self.judged_in(lookup, exemption, scan).await?);
                }
                self.check_term(state, lookup, exemption, judged.as_ref()).await?;
                (granted, exemption.is_self_approval(&self.caller.actor.subject, &state.project.settings))
            }
            Decision::Withdraw => {
                let is_reviewer = self.caller.require(&self.context.project, Right::Decide).is_ok();
                let checked = exemption.check_withdrawal(&self.caller.actor.subject, is_reviewer);
                checked.map_err(|refusal| Problem::new(Code::Forbidden, refusal.to_string()))?;
                (None, false)
            }
            Decision::Reject | Decision::Reopen => (None, false),
        };
        let mut event = decision.event(id, comment, granted, own, body.version);
        if let ExemptionEvent::Approved { judged: approved, .. } = &mut event {
            *approved = judged.map(Box::new);
        }
        Ok(event)
    }

    /// The state of the issue that an approval judges if the reviewer saw it in this scan: the one there and the one in
    /// the request together.
    async fn judged_in(
        &self,
        lookup: &mut IssueLookup<'_, K>,
        exemption: &Exemption,
        scan: ScanId,
    ) -> Result<Judged, Problem> {
        let issue = lookup.in_scan(scan, exemption.issue).await?;
        if let Some(target) = exemption.asked.target().filter(|target| **target != issue.seen.target) {
            let own = &issue.seen.target;
            return Err(illegal("scan", format_args!("scan {scan} is of target `{own}`, not of `{target}`")));
        }
        let chosen = exemption.asked.occurrences();
        let mut severity = issue.severity;
        if !chosen.is_empty() {
            let mut seen = None;
            let is_chosen = |one: &ExemptibleOccurrence| {
                chosen.iter().any(|chosen| chosen.id == one.id && one.has_form(chosen.form))
            };
            let each = |one: &ExemptibleOccurrence| {
                if is_chosen(one) {
                    seen = seen.max(Some(Severity::of(one.score)));
                }
            };
            lookup.each_occurrence(&issue, each).await?;
            let none =
                || illegal("scan", format_args!("scan {scan} has none of the occurrences as they were requested"));
            severity = seen.ok_or_else(none)?;
        }
        Ok(exemption.requested_for().joined(&Judged { severity, marks: Some(issue.marks) }))
    }

    /// The reach that an approval by the caller grants; `None` if it is the requested reach. `refused` makes the
    /// problem of a scope or pipeline that does not fit.
    pub(crate) fn granted_reach(
        &self,
        exemption: &Exemption,
        scope: Option<Scope>,
        pipeline: Option<PipelineName>,
        refused: impl FnOnce(ReachError) -> Problem,
    ) -> Result<Option<Reach>, Problem> {
        let granted = exemption.granted_reach(scope, pipeline).map_err(refused)?;
        if let Some(reach) = &granted {
            if *reach == Reach::Account {
                self.caller.require_installation()?;
            }
            self.require_reach(reach)?;
        }
        Ok(granted)
    }

    /// Checks the requested term against the project's settings and the issue's severity of today, and the one that is
    /// judged.
    async fn check_term(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        exemption: &Exemption,
        judged: Option<&Judged>,
    ) -> Result<(), Problem> {
        let settings = &state.project.settings;
        // The severity of today takes reading scans; it counts only if the project limits terms.
        let severity = if settings.exemption_days_max.is_empty() {
            exemption.severity
        } else {
            self.severity_now(state, lookup, exemption).await?
        };
        let severity = judged.map_or(severity, |judged| severity.max(judged.severity));
        let checked = exemption.check_term(severity, settings, self.context.now);
        checked.map_err(|error| Problem::new(Code::Conflict, format!("{error}; request another exemption")))
    }

    /// The issue's severity in its target's newest scans; if they no longer have the issue, that at the request.
    async fn severity_now(
        &self,
        state: &CurrentState,
        lookup: &mut IssueLookup<'_, K>,
        exemption: &Exemption,
    ) -> Result<Severity, Problem> {
        let Some(target) = state.project.targets.get(&exemption.seen.target) else { return Ok(exemption.severity) };
        match lookup.in_target(target.id, exemption.issue, self.context.now).await {
            Ok(issue) => Ok(issue.severity),
            Err(problem) if problem.code == Code::InvalidBody => Ok(exemption.severity),
            Err(problem) => Err(problem),
        }
    }

    /// Writes a pointer to each exemption that these events approve for the installation. Pointers come before the
    /// approval: one to an exemption that is not approved does nothing, but an approval without one would count in its
    /// own project only.
    async fn promote(&self, state: &CurrentState, events: &[ExemptionEvent]) -> Result<(), Problem> {
        for event in events {
            let ExemptionEvent::Approved { exemption: id, reach: Some(Reach::Account), .. } = event else { continue };
            let exemption = self.find(state, *id)?;
            let (issue, scanner) = (exemption.issue, exemption.scanner.clone());
            let pointer = Pointer { project: self.context.project.clone(), issue, scanner };
            let append = Append {
                id: EventId::derived("v1:promoted", &[&self.context.event.short().0, &id.short().0]),
                by: self.caller.actor.clone(),
                event: AnyEvent::Promoted { event: PromotedEvent::Added { exemption: *id, pointer } },
            };
            if let Some(refusal) = self.context.services.append(&append).await?.refused {
                return Err(refusal.into());
            }
        }
        Ok(())
    }
}
