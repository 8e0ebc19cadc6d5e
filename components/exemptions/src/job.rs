//! Requests and decisions: every step is an event in the project's exemption journal.

use crate::asked;
use crate::seen::Sight;
use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal, remark};
use api::internal::{AnyEvent, Append, Services};
use api::outbox::OutboxWriter;
use api::problem::Code;
use api::project_context::ProjectContext;
use api::v1::{BulkDecision, DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, RequestsBody};
use domain::exemption::{Exemption, ExemptionEvent, Exemptions, Pointer, PromotedEvent, Reach, Scope, Status, Term};
use domain::ids::{EventId, ExemptionId};
use domain::limits::{BULK_MAX, VALUE_BYTES_MAX};
use domain::project::Project;
use domain::role::Right;
use finding::severity::Severity;
use store::judging;
use store::kv::Kv;

/// The largest event: it stands in one value with its envelope.
const EVENT_BYTES_MAX: usize = VALUE_BYTES_MAX - 4 * 1024;

/// The project as it is when a call begins.
pub(crate) struct Known {
    pub(crate) project: Project,
    pub(crate) exemptions: Exemptions,
}

impl Known {
    pub(crate) async fn load<K: Kv, V: Services>(context: &ProjectContext<'_, K, V>) -> Result<Self, Problem> {
        let project = context.state().await?;
        Ok(Self { project, exemptions: judging::exemptions(context.kv, &context.project, context.now).await? })
    }

    /// An exemption that the caller may know of.
    pub(crate) fn find(&self, who: &Identity, id: ExemptionId) -> Result<&Exemption, Problem> {
        let held = self.exemptions.by_id.get(&id).filter(|held| who.sees_exemption(held));
        held.ok_or_else(|| Problem::not_found(format!("there is no exemption {id}")))
    }
}

/// What can be decided on an exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Grant it.
    Approve,
    /// Refuse it, or take it back.
    Reject,
    /// Withdraw it.
    Cancel,
    /// Ask for it again.
    Reopen,
}

impl Decision {
    /// All of them, with their names in paths and bodies.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Approve, "approve"), (Self::Reject, "reject"), (Self::Cancel, "cancel"), (Self::Reopen, "reopen")];

    /// The decision of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(decision, _)| decision)
    }

    /// What it needs the right to, as one of several; a call of its own has it declared.
    fn right(self) -> Right {
        match self {
            Self::Approve | Self::Reject => Right::Decide,
            Self::Cancel | Self::Reopen => Right::Develop,
        }
    }
}

/// Asks for an exemption.
///
/// # Errors
/// A field is not legal, the issue is not where it is said to be, the same is asked for already, or the store failed.
pub async fn request<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    body: ExemptionBody,
) -> Result<ExemptionItem, Problem> {
    let id = exemption_id(context, 0);
    let known = Known::load(context).await?;
    let mut sight = Sight::new(context.kv, &context.project, who);
    let request = asked::request(context, who, &known, &mut sight, id, body).await?;
    require_reach(who, &request.reach)?;
    append(context, who, ExemptionEvent::Requested { request: Box::new(request) }).await?;
    tell(context, who, &known).await?;
    crate::list::get(context, who, id).await
}

/// Asks for several exemptions, all or none.
///
/// # Errors
/// As [`request`], with the place of the request that is wrong.
pub async fn request_many<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    body: RequestsBody,
) -> Result<Vec<ExemptionItem>, Problem> {
    check_many("requests", body.requests.len())?;
    let known = Known::load(context).await?;
    let mut sight = Sight::new(context.kv, &context.project, who);
    let (mut ids, mut events) = (Vec::new(), Vec::new());
    for (at, body) in (0_u32..).zip(body.requests) {
        let id = exemption_id(context, at);
        let request = asked::request(context, who, &known, &mut sight, id, body).await;
        let request = request.map_err(|problem| numbered(at, problem))?;
        require_reach(who, &request.reach).map_err(|problem| numbered(at, problem))?;
        ids.push(id);
        events.push(ExemptionEvent::Requested { request: Box::new(request) });
    }
    append(context, who, ExemptionEvent::Many { events }).await?;
    tell(context, who, &known).await?;
    crate::list::items(context, who, &ids).await
}

/// Decides on an exemption.
///
/// # Errors
/// There is none of this id, the state it is in does not allow it, the caller may not, or the store failed.
pub async fn decide<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    exemption: ExemptionId,
    decision: Decision,
    body: DecisionBody,
) -> Result<ExemptionItem, Problem> {
    let known = Known::load(context).await?;
    let mut sight = Sight::new(context.kv, &context.project, who);
    let event = event(context, who, &known, &mut sight, exemption, (decision, body)).await?;
    promote(context, who, &known, std::slice::from_ref(&event)).await?;
    append(context, who, event).await?;
    tell(context, who, &known).await?;
    crate::list::get(context, who, exemption).await
}

/// Decides on several exemptions, all or none.
///
/// # Errors
/// As [`decide`], with the place of the decision that is wrong.
pub async fn decide_many<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    body: DecisionsBody,
) -> Result<Vec<ExemptionItem>, Problem> {
    check_many("decisions", body.decisions.len())?;
    let known = Known::load(context).await?;
    let mut sight = Sight::new(context.kv, &context.project, who);
    let (mut ids, mut events) = (Vec::new(), Vec::new());
    for (at, one) in (0_u32..).zip(body.decisions) {
        let (id, event) =
            one_of_many(context, who, &known, &mut sight, one).await.map_err(|problem| numbered(at, problem))?;
        if ids.contains(&id) {
            return Err(numbered(at, illegal("id", format_args!("exemption {id} is there twice"))));
        }
        ids.push(id);
        events.push(event);
    }
    promote(context, who, &known, &events).await?;
    append(context, who, ExemptionEvent::Many { events }).await?;
    tell(context, who, &known).await?;
    crate::list::items(context, who, &ids).await
}

/// Brings the outbox up to date with what was done.
async fn tell<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
) -> Result<(), Problem> {
    let ProjectContext { kv, services, now, project, .. } = context;
    let telling = OutboxWriter { kv: *kv, services: *services, project, now: *now, by: &who.actor };
    telling.update(known.project.settings.ending_notice_days.days()).await
}

async fn one_of_many<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    sight: &mut Sight<'_, K>,
    one: BulkDecision,
) -> Result<(ExemptionId, ExemptionEvent), Problem> {
    let BulkDecision { id, decision, comment, scope, pipeline } = one;
    let decision = Decision::named(&decision).ok_or_else(|| {
        illegal("decision", format_args!("`{}` is none of approve, reject, cancel, reopen", decision.escape_default()))
    })?;
    who.require(&context.project, decision.right())?;
    let id: ExemptionId = field("id", &id)?;
    let body = DecisionBody { comment, scope, pipeline };
    Ok((id, event(context, who, known, sight, id, (decision, body)).await?))
}

/// The event of a decision.
async fn event<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    sight: &mut Sight<'_, K>,
    exemption: ExemptionId,
    (decision, body): (Decision, DecisionBody),
) -> Result<ExemptionEvent, Problem> {
    let comment = remark("comment", body.comment)?;
    if decision != Decision::Approve && (body.scope.is_some() || body.pipeline.is_some()) {
        return Err(illegal("scope", "only an approval has a scope"));
    }
    let held = known.find(who, exemption)?;
    require_reach(who, held.reach())?;
    // What was granted for the installation holds in projects that this one's people cannot see.
    if held.status(context.now) == Status::Approved && *held.reach() == Reach::Account {
        who.require_installation()?;
    }
    Ok(match decision {
        Decision::Approve => {
            let reach = widened(who, held, body.scope.as_deref(), body.pipeline.as_deref())?;
            check_term(context, known, sight, held).await?;
            let own = known.project.settings.self_approval && held.is_asked_by(&who.actor.subject);
            ExemptionEvent::Approved { exemption, comment, reach, own }
        }
        Decision::Reject => ExemptionEvent::Rejected { exemption, comment },
        Decision::Cancel => ExemptionEvent::Cancelled { exemption, comment },
        Decision::Reopen => ExemptionEvent::Reopened { exemption, comment },
    })
}

/// What an approval grants beyond what was asked for; nothing if it is at the same scope.
pub(crate) fn widened(
    who: &Identity,
    held: &Exemption,
    scope: Option<&str>,
    pipeline: Option<&str>,
) -> Result<Option<Reach>, Problem> {
    let asked = held.asked.scope();
    let scope: Scope = scope.map_or(Ok(asked), |scope| field("scope", scope))?;
    if scope < asked {
        return Err(illegal("scope", format_args!("it was asked for at the scope {asked}; grant that or a wider one")));
    }
    if pipeline.is_some() && scope != Scope::Pipeline {
        return Err(illegal("pipeline", "it belongs to the scope `pipeline` only"));
    }
    let reach = match scope {
        _ if scope == asked && pipeline.is_none() => None,
        Scope::Pipeline if scope == asked => return Err(illegal("pipeline", "it was asked for with its own pipeline")),
        Scope::Occurrences => None,
        Scope::Target => Some(Reach::Target { target: held.seen.target.clone() }),
        Scope::Pipeline => Some(Reach::Pipeline { pipeline: asked::pipeline(pipeline, held.seen.pipeline.as_ref())? }),
        Scope::Project => Some(Reach::Project),
        Scope::Account => {
            who.require_installation()?;
            Some(Reach::Account)
        }
    };
    if let Some(reach) = &reach {
        require_reach(who, reach)?;
    }
    Ok(reach)
}

/// Checks the end against the project's settings, by the level that the issue had when it was asked for, or has by now.
async fn check_term<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    known: &Known,
    sight: &mut Sight<'_, K>,
    held: &Exemption,
) -> Result<(), Problem> {
    let settings = &known.project.settings;
    if held.term == Term::Unlimited && !settings.unlimited_exemptions {
        let detail = "the project's setting `unlimited_exemptions` does not allow an exemption without an end";
        return Err(Problem::new(Code::Conflict, detail));
    }
    if settings.exemption_days_max.is_empty() {
        return Ok(());
    }
    let level =
        settings.judged_as(held.severity).max(settings.judged_as(level_now(context, known, sight, held).await?));
    let most = settings.exemption_days_max.get(&level).copied();
    match held.term.excess(context.now, most) {
        None => Ok(()),
        Some(excess) => {
            Err(Problem::new(Code::Conflict, format!("{excess} for an issue of the level {level}; ask for less")))
        }
    }
}

/// The issue's level in its target's newest scans; where they no longer have it, that at the request.
async fn level_now<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    known: &Known,
    sight: &mut Sight<'_, K>,
    held: &Exemption,
) -> Result<Severity, Problem> {
    let Some(target) = known.project.targets.get(&held.seen.target) else { return Ok(held.severity) };
    match sight.in_target(target.id, held.issue, context.now).await {
        Ok(seen) => Ok(seen.severity),
        Err(problem) if problem.code == Code::InvalidBody => Ok(held.severity),
        Err(problem) => Err(problem),
    }
}

/// A token for some targets reaches no further than these.
fn require_reach(who: &Identity, reach: &Reach) -> Result<(), Problem> {
    match reach.target() {
        Some(_) => Ok(()),
        None => who.require_all_targets(),
    }
}

/// Says where exemptions are to be looked for that are about to be granted for the installation. The grant itself comes
/// after: a pointer to one that was not granted does nothing, a grant without a pointer would hold in its project only.
async fn promote<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    events: &[ExemptionEvent],
) -> Result<(), Problem> {
    for event in events {
        let ExemptionEvent::Approved { exemption, reach: Some(Reach::Account), .. } = event else { continue };
        let held = known.find(who, *exemption)?;
        let pointer = Pointer { project: context.project.clone(), issue: held.issue, scanner: held.scanner.clone() };
        let append = Append {
            id: EventId::derived("v1:promoted", &[&context.event.short().0, &exemption.short().0]),
            by: who.actor.clone(),
            event: AnyEvent::Promoted { event: PromotedEvent::Added { exemption: *exemption, pointer } },
        };
        if let Some(refusal) = context.services.append(&append).await?.refused {
            return Err(Problem::new(Code::Conflict, refusal.reason));
        }
    }
    Ok(())
}

async fn append<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    event: ExemptionEvent,
) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(&event).map_err(|error| Problem::internal(error.to_string()))?.len();
    if bytes > EVENT_BYTES_MAX {
        let detail =
            format!("all together is {bytes} bytes as it is stored; at most {EVENT_BYTES_MAX} are: send fewer");
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    context.append(&who.actor, AnyEvent::Exemption { project: context.project.clone(), event }).await
}

/// The id of the exemption that a call's request at this place asks for: the same again when it is retried.
fn exemption_id<K, V>(context: &ProjectContext<'_, K, V>, at: u32) -> ExemptionId {
    ExemptionId::derived("v2:exemption", &[&context.event.short().0, &at.to_be_bytes()])
}

fn check_many(name: &str, count: usize) -> Result<(), Problem> {
    if (1..=BULK_MAX).contains(&count) {
        return Ok(());
    }
    Err(illegal(name, format_args!("there are {count}; 1 to {BULK_MAX} at once are allowed")))
}

fn numbered(at: u32, problem: Problem) -> Problem {
    Problem { detail: format!("number {}: {}", at + 1, problem.detail), ..problem }
}
