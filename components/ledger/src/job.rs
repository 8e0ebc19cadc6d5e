//! Which fold an event goes through, and what its appender is told.

use api::Problem;
use api::internal::{AnyEvent, Append, Appended, Count, Counted};
use domain::account::Account;
use domain::execution::ExecutionLog;
use domain::exemption::{Exemptions, Promoted};
use domain::journal::{Fold, JournalId};
use domain::outbox::Outbox;
use domain::project::Project;
use domain::scan_log::ScanLog;
use domain::time::Timestamp;
use store::journal;
use store::keys;
use store::kv::{Counter, KvError};

/// Appends an event; on return every later load sees it.
///
/// # Errors
/// The store failed, or earlier writers kept the event from being seen: append it again under the same id.
pub async fn append(kv: &impl Counter, request: Append, now: impl Fn() -> Timestamp) -> Result<Appended, Problem> {
    let Append { id, by, event } = request;
    let appended = match event {
        AnyEvent::Account { event } => {
            told(journal::append::<Account>(kv, &JournalId::Account, id, by, event, now).await)?
        }
        AnyEvent::Project { event } => {
            let journal = JournalId::Project { project: event.project.clone() };
            told(journal::append::<Project>(kv, &journal, id, by, event, now).await)?
        }
        AnyEvent::Exemption { project, event } => {
            let journal = JournalId::Exemptions { project };
            told(journal::append::<Exemptions>(kv, &journal, id, by, event, now).await)?
        }
        AnyEvent::Promoted { event } => {
            told(journal::append::<Promoted>(kv, &JournalId::Promoted, id, by, event, now).await)?
        }
        AnyEvent::Outbox { project, event } => {
            told(journal::append::<Outbox>(kv, &JournalId::Outbox { project }, id, by, event, now).await)?
        }
        AnyEvent::Execution { project, execution, event } => {
            let journal = JournalId::Execution { project, execution };
            told(journal::append::<ExecutionLog>(kv, &journal, id, by, event, now).await)?
        }
        AnyEvent::Scan { journal, event } => told(journal::append::<ScanLog>(kv, &journal, id, by, event, now).await)?,
    };
    Ok(appended)
}

/// Counts something, and gives a number that nobody else gets.
///
/// # Errors
/// The store failed.
pub async fn count(kv: &impl Counter, what: Count) -> Result<Counted, Problem> {
    let key = match what {
        Count::Claim { scan } => keys::scan_claims(scan),
        Count::Turn { target, variant, tool } => keys::turns(target, &variant, &tool),
    };
    Ok(Counted { n: kv.increment(&key).await? })
}

fn told<F: Fold>(result: Result<journal::Appended<F>, KvError>) -> Result<Appended, Problem> {
    let appended = result?;
    Ok(Appended { n: appended.n, refused: appended.outcome.err() })
}
