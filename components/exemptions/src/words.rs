//! What people wrote about exemptions: it stands in the journal's events, and the state knows in which.

use api::Problem;
use api::project_context::ProjectContext;
use api::v1::ExemptionTexts;
use domain::event::Entry;
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest};
use domain::ids::ExemptionId;
use domain::journal::JournalId;
use std::collections::BTreeMap;
use store::kv::Kv;
use store::{document, keys};

/// The events that were read last: many exemptions may stand in one.
#[derive(Debug, Default)]
pub(crate) struct Events {
    read: BTreeMap<u64, ExemptionEvent>,
}

/// How many events are kept in memory.
const EVENTS_KEPT: usize = 32;

impl Events {
    async fn at<K: Kv, V>(&mut self, context: &ProjectContext<'_, K, V>, n: u64) -> Result<&ExemptionEvent, Problem> {
        if !self.read.contains_key(&n) {
            if self.read.len() >= EVENTS_KEPT {
                self.read.pop_first();
            }
            let journal = JournalId::Exemptions { project: context.project.clone() };
            let entry: Entry<ExemptionEvent> = document::get(context.kv, &keys::journal_event(&journal, n)).await?;
            self.read.insert(n, entry.event);
        }
        self.read.get(&n).ok_or_else(|| Problem::internal(format!("event {n} was read and is gone")))
    }

    /// What was written about an exemption.
    pub(crate) async fn words<K: Kv, V>(
        &mut self,
        context: &ProjectContext<'_, K, V>,
        id: ExemptionId,
        held: &Exemption,
    ) -> Result<ExemptionTexts, Problem> {
        let request = self.request(context, id, held).await?;
        let mut words =
            ExemptionTexts { title: request.title, text: request.text, link: request.link, comment: String::new() };
        if let Some(decision) = &held.decision {
            words.comment = self.at(context, decision.stamp.n).await?.comment_on(id).unwrap_or_default().to_owned();
        }
        Ok(words)
    }

    async fn request<K: Kv, V>(
        &mut self,
        context: &ProjectContext<'_, K, V>,
        id: ExemptionId,
        held: &Exemption,
    ) -> Result<ExemptionRequest, Problem> {
        let n = held.requested.n;
        let request = self.at(context, n).await?.request_for(id).cloned();
        request.ok_or_else(|| Problem::internal(format!("event {n} does not ask for exemption {id}")))
    }
}
