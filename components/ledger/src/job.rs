//! Appends events to journals, and counts.

use api::Problem;
use api::internal::{AnyEvent, Append, Appended, Count, Counted};
use domain::account::Account;
use domain::event::Actor;
use domain::execution::ExecutionLog;
use domain::exemption::{Exemptions, Promoted};
use domain::ids::EventId;
use domain::journal::{Fold, JournalId};
use domain::outbox::Outbox;
use domain::project::Project;
use domain::scan_log::ScanLog;
use domain::time::Timestamp;
use store::journal;
use store::keys;
use store::kv::Counter;

/// Appends an event to its journal. On return, every later load of the journal sees it.
///
/// # Errors
/// The store failed, or the event is not visible yet because of slow writers before it: append it again under the same
/// id.
pub async fn append(kv: &impl Counter, request: Append, now: impl Fn() -> Timestamp) -> Result<Appended, Problem> {
    let Append { id, by, event } = request;
    match event {
        AnyEvent::Account { event } => append_to::<Account>(kv, &JournalId::Account, id, by, event, now).await,
        AnyEvent::Project { event } => {
            let journal = JournalId::Project { project: event.project.clone() };
            append_to::<Project>(kv, &journal, id, by, event, now).await
        }
        AnyEvent::Exemption { project, event } => {
            append_to::<Exemptions>(kv, &JournalId::Exemptions { project }, id, by, event, now).await
        }
        AnyEvent::Promoted { event } => append_to::<Promoted>(kv, &JournalId::Promoted, id, by, event, now).await,
        AnyEvent::Outbox { project, event } => {
            append_to::<Outbox>(kv, &JournalId::Outbox { project }, id, by, event, now).await
        }
        AnyEvent::Execution { project, execution, event } => {
            append_to::<ExecutionLog>(kv, &JournalId::Execution { project, execution }, id, by, event, now).await
        }
        AnyEvent::Scan { journal, event } => append_to::<ScanLog>(kv, &journal, id, by, event, now).await,
    }
}

async fn append_to<F: Fold>(
    kv: &impl Counter,
    journal: &JournalId,
    id: EventId,
    by: Actor,
    event: F::Event,
    now: impl Fn() -> Timestamp,
) -> Result<Appended, Problem> {
    let appended = journal::append::<F>(kv, journal, id, by, event, now).await?;
    Ok(Appended { n: appended.n, refused: appended.outcome.err() })
}

/// Increments a counter and returns its new value. No two callers get the same number.
///
/// # Errors
/// The store failed.
pub async fn count(kv: &impl Counter, counter: Count) -> Result<Counted, Problem> {
    let key = match counter {
        Count::Claim { scan } => keys::scan_claims(scan),
        Count::Series { token, target, day } => keys::series_begun(token, target, day),
        Count::Turn { target, variant, tool } => keys::turns(target, &variant, &tool),
    };
    Ok(Counted { n: kv.increment(&key).await? })
}
