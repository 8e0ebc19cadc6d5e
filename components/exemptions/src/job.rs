//! The exemption workflow: every step is an event in the target's exemption journal.

use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal, remark};
use api::context::Context;
use api::internal::{AnyEvent, Services};
use api::page::{Page, Wanted, encode};
use api::problem::Code;
use api::v1::{DecisionBody, ExemptionBody, ExemptionItem};
use domain::comparison::Identified;
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest, Exemptions, Reason, Status};
use domain::grouping::Issue;
use domain::ids::{ExemptionId, IssueId, TargetId, TargetName};
use domain::journal::JournalId;
use domain::limits::DURATION_DAYS_MAX;
use domain::role::Right;
use domain::scan::{ScanEvent, ScanLog};
use store::kv::Kv;
use store::records::ExemptionPlace;
use store::scans::{Compared, Grouped, issues_list};
use store::segments::Reader;
use store::{document, journal, keys};

/// How many of a target's newest scans are searched for an issue.
const SCANS_SEARCHED: usize = 20;

/// What can be decided on an exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Grant it.
    Approve,
    /// Refuse it, or take it back.
    Reject,
    /// Withdraw it.
    Cancel,
}

impl Decision {
    /// The decision of this name in a path.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, Problem> {
        match name {
            "approve" => Ok(Self::Approve),
            "reject" => Ok(Self::Reject),
            "cancel" => Ok(Self::Cancel),
            _ => Err(Problem::not_found("an exemption can be sent to `approve`, `reject` or `cancel`")),
        }
    }

    /// Who may decide so.
    pub fn right(self) -> Right {
        match self {
            Self::Approve | Self::Reject => Right::Decide,
            Self::Cancel => Right::Develop,
        }
    }
}

fn journal_of<K, V>(context: &Context<'_, K, V>, target: TargetId) -> JournalId {
    JournalId::Exemptions { project: context.project.clone(), target }
}

async fn load<K: Kv, V>(context: &Context<'_, K, V>, target: TargetId) -> Result<Exemptions, Problem> {
    Ok(journal::load(context.kv, &journal_of(context, target), context.now).await?.state)
}

/// Where an exemption's events stand. Another project's is not found.
async fn place<K: Kv, V>(context: &Context<'_, K, V>, id: ExemptionId) -> Result<TargetId, Problem> {
    let place: Option<ExemptionPlace> = document::find(context.kv, &keys::exemption(id)).await?;
    place
        .filter(|place| place.project == context.project)
        .map(|place| place.target)
        .ok_or_else(|| Problem::not_found(format!("there is no exemption {id}")))
}

async fn append<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    target: TargetId,
    event: ExemptionEvent,
) -> Result<(), Problem> {
    context.append(&who.actor, AnyEvent::Exemption { journal: journal_of(context, target), event }).await
}

/// Asks for an exemption.
///
/// # Errors
/// A field is not legal, the target does not exist, or the store failed.
pub async fn request<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    body: ExemptionBody,
) -> Result<ExemptionItem, Problem> {
    if body.scope != "target" {
        return Err(illegal("scope", format_args!("`{}` is no scope; use target", body.scope.escape_default())));
    }
    if !(1..=DURATION_DAYS_MAX).contains(&body.duration_days) {
        return Err(illegal(
            "duration_days",
            format_args!("{} is not from 1 to {DURATION_DAYS_MAX}", body.duration_days),
        ));
    }
    let text = remark("text", body.text)?;
    if text.trim().is_empty() {
        return Err(illegal("text", "a reason in words is needed"));
    }
    let target: TargetName = field("target", &body.target)?;
    let state = context.state().await?;
    let target_id = state.targets.get(&target).map(|target| target.id);
    let target_id = target_id.ok_or_else(|| illegal("target", format_args!("there is no target `{target}`")))?;
    let issue: IssueId = field("issue", &body.issue)?;
    let id = ExemptionId::derived("v1:exemption", &[&context.event.short().0]);
    let request = ExemptionRequest {
        id,
        issue,
        title: title(context, target_id, issue).await?,
        target,
        duration_days: body.duration_days,
        reason: field::<Reason>("reason", &body.reason)?,
        text,
        link: body.link.map(|link| remark("link", link)).transpose()?,
    };
    let asked = request.clone();
    let stands = ExemptionPlace { v: 1, project: context.project.clone(), target: target_id };
    document::put(context.kv, &keys::exemption(id), &stands).await?;
    append(context, who, target_id, ExemptionEvent::Requested { request }).await?;
    let held = find(context, id).await?;
    if held.request != asked {
        let detail = format!("the key was used to ask for exemption {id}; use a new key");
        return Err(Problem::new(Code::IdempotencyMismatch, detail));
    }
    Ok(ExemptionItem::new(&held, context.now))
}

/// The title of an issue of this target, from its newest scans.
async fn title<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    target: TargetId,
    issue: IssueId,
) -> Result<String, Problem> {
    let journal = JournalId::Scans { project: context.project.clone(), target };
    let last = journal::load::<ScanLog>(context.kv, &journal, context.now).await?.last;
    let newest = journal::read_back::<ScanEvent>(context.kv, &journal, last, SCANS_SEARCHED).await?;
    for (_, entry) in newest {
        let scan = entry.event.scan;
        let (grouped, compared) = (Grouped::get(context.kv, scan).await?, Compared::get(context.kv, scan).await?);
        let issues: Vec<Identified<IssueId>> = compared.issues_as(context.kv, scan).await?;
        let Some(at) = (0..).zip(&issues).find(|(_, held)| held.id == issue).map(|(at, _)| at) else { continue };
        let list = issues_list(scan);
        let mut reader = Reader::open(context.kv, &list, &grouped.issues, at).await?;
        if let Some(found) = reader.next::<Issue>().await? {
            return Ok(found.title);
        }
    }
    Err(illegal("issue", format_args!("none of the target's last {SCANS_SEARCHED} scans has the issue {issue}")))
}

/// Decides on an exemption.
///
/// # Errors
/// There is none of this id, the state it is in does not allow it, or the store failed.
pub async fn decide<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    exemption: ExemptionId,
    decision: Decision,
    body: DecisionBody,
) -> Result<ExemptionItem, Problem> {
    let comment = remark("comment", body.comment)?;
    let target = place(context, exemption).await?;
    let event = match decision {
        Decision::Approve => ExemptionEvent::Approved { exemption, comment },
        Decision::Reject => ExemptionEvent::Rejected { exemption, comment },
        Decision::Cancel => ExemptionEvent::Cancelled { exemption, comment },
    };
    append(context, who, target, event).await?;
    get(context, exemption).await
}

/// One exemption.
///
/// # Errors
/// There is none of this id, or the store failed.
pub async fn get<K: Kv, V: Services>(context: &Context<'_, K, V>, id: ExemptionId) -> Result<ExemptionItem, Problem> {
    Ok(ExemptionItem::new(&find(context, id).await?, context.now))
}

async fn find<K: Kv, V: Services>(context: &Context<'_, K, V>, id: ExemptionId) -> Result<Exemption, Problem> {
    let target = place(context, id).await?;
    let held = load(context, target).await?.by_id.remove(&id);
    held.ok_or_else(|| Problem::not_found(format!("there is no exemption {id}")))
}

/// The exemptions of a project, target by target.
///
/// # Errors
/// The project or the target does not exist, or the store failed.
pub async fn list<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    status: Option<Status>,
    target: Option<&TargetName>,
    wanted: Wanted<(String, String)>,
) -> Result<Page<ExemptionItem>, Problem> {
    let state = context.state().await?;
    if let Some(target) = target.filter(|target| !state.targets.contains_key(*target)) {
        return Err(Problem::parameter("target", format_args!("there is no target `{target}`")));
    }
    let mut items: Vec<ExemptionItem> = Vec::new();
    let from = wanted.from.unwrap_or_default();
    for (name, held) in &state.targets {
        let asked_for = target.is_none_or(|target| target == name) && from.0.as_str() <= name.as_str();
        if !asked_for {
            continue;
        }
        for (id, exemption) in load(context, held.id).await?.by_id {
            let after = (name.as_str(), id.to_string().as_str()) > (from.0.as_str(), from.1.as_str());
            if after && status.is_none_or(|status| exemption.status(context.now) == status) {
                items.push(ExemptionItem::new(&exemption, context.now));
            }
        }
        if items.len() > wanted.limit {
            break;
        }
    }
    let more = items.len() > wanted.limit;
    items.truncate(wanted.limit);
    let next = items.last().filter(|_| more).map(|last| encode("exemptions", &(&last.target, &last.id)));
    Ok(Page { items, next })
}
