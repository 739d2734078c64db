//! The changes that a turn makes.

use super::rows::{ThreadRows, TurnRow};
use super::thread::OpenThread;
use super::usage::ReportedUsage;
use crate::protocol::ThreadEvent;
use crate::store::claim::finalized;
use crate::store::{Change, Origin, TurnChange};

impl<R: ThreadRows> OpenThread<R> {
    /// Applies the changes of a turn, in their order.
    pub(super) fn apply(
        &mut self,
        turn: &mut TurnRow,
        changes: &[TurnChange],
    ) -> Result<Vec<Change>, R::Error> {
        let mut usage = ReportedUsage::of(changes);
        let mut applied = Vec::new();
        for change in changes {
            match change {
                TurnChange::EndQuestions => applied.extend(self.end_questions(turn)?),
                change => applied.extend(self.apply_one(turn, change, &mut usage)?),
            }
        }
        applied.extend(self.add_usage(usage)?);
        Ok(applied)
    }

    /// Applies a change. A change of a run takes the usage of this run, so that both are one change.
    fn apply_one(
        &mut self,
        row: &mut TurnRow,
        change: &TurnChange,
        usage: &mut ReportedUsage<'_>,
    ) -> Result<Option<Change>, R::Error> {
        let turn = row.event_id.as_str();
        Ok(match change {
            TurnChange::Event(event) => {
                let answers = self.first_answer(event)?;
                let open_in = event.streaming.and(Some(turn));
                let (event, rev) = self.append((**event).clone(), answers, open_in)?;
                self.ask(row, &event)?;
                Some(Change::of_event(event, rev).by(Origin::Created))
            }
            TurnChange::Text {
                event_id,
                text,
                delta_seq,
            } => {
                self.rows.write_text(turn, event_id, text, *delta_seq)?;
                None
            }
            TurnChange::Finalize { event_id, text } => {
                let open = self.rows.open_events(turn)?;
                let event = open.into_iter().find(|event| event.id == *event_id);
                let end = event.map(|event| self.finalize(turn, event, Some(text)));
                end.transpose()?
            }
            TurnChange::Patch { patch, at } => Some(self.patch(patch, *at)),
            TurnChange::Touch(at) => {
                self.touch(*at)?;
                Some(self.change_row())
            }
            TurnChange::Run(run) => {
                let mut run = run.clone();
                run.event_id = Some(turn.to_owned());
                run.usage = usage.take(&run.id);
                Some(self.put_run(run)?)
            }
            TurnChange::Track(event) => {
                let outbox = self.rows.outbox();
                if outbox.is_some_and(|filter| filter.allows(&event.event)) {
                    self.rows.insert_outbox(std::slice::from_ref(&**event))?;
                }
                None
            }
            // The ledger gets it by `record_usage`.
            TurnChange::Usage(_) => None,
            TurnChange::ReopenForm => {
                self.rows.reopen_form(turn)?;
                None
            }
            TurnChange::EndQuestion {
                form_event_id,
                is_over,
            } => self.end_question(row, form_event_id, *is_over)?,
            // Makes several changes, so `apply` handles it.
            TurnChange::EndQuestions => None,
        })
    }

    /// Finalizes the events that are streaming in a turn, with their stored texts.
    pub(super) fn finalize_all(&mut self, turn: &str) -> Result<Vec<Change>, R::Error> {
        let open = self.rows.open_events(turn)?.into_iter();
        open.map(|event| self.finalize(turn, event, None)).collect()
    }

    fn finalize(
        &mut self,
        turn: &str,
        event: ThreadEvent,
        text: Option<&str>,
    ) -> Result<Change, R::Error> {
        let event = finalized(event, text);
        let rev = self.next_rev();
        self.rows.finalize_event(turn, &event, rev)?;
        Ok(Change::of_event(event, rev).by(Origin::Completed))
    }
}
