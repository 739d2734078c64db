//! Texts that grow.

use super::thread::OpenThread;
use crate::protocol::{ContentPart, ThreadEvent};
use crate::store::Change;
use crate::store::claim::finalized;
use crate::store::sql::{self, Stop, int, json};
use rusqlite::params;

impl OpenThread<'_> {
    /// The events whose text grows in the turn of this message.
    pub(super) fn open_events(&self, turn: &str) -> Result<Vec<ThreadEvent>, Stop> {
        let place = params![self.row.pk, turn];
        self.db
            .every(&self.db.sql.writes.open_events, place, |row| {
                Ok(sql::event(row, self.id())?.0)
            })
    }

    /// Stores how far a text has grown. One that does not grow stays as it is.
    pub(super) fn write_text(
        &self,
        turn: &str,
        event_id: &str,
        text: &str,
        delta_seq: u64,
    ) -> Result<(), Stop> {
        let content = json(&Some([ContentPart::text(text)]))?;
        let values = params![self.row.pk, turn, event_id, content, int(delta_seq)];
        self.db.execute(&self.db.sql.writes.write_text, values)
    }

    /// Ends the growing of a text.
    pub(super) fn finalize(
        &mut self,
        turn: &str,
        event: ThreadEvent,
        text: Option<&str>,
    ) -> Result<Change, Stop> {
        let event = finalized(event, text);
        let (rev, content) = (self.next_rev(), json(&event.content)?);
        let values = params![self.row.pk, turn, event.id, content, int(rev)];
        self.db
            .execute(&self.db.sql.writes.finalize_event, values)?;
        Ok(Change::of_event(event, rev))
    }

    /// Ends the growing of the texts of a turn that is over, with what is stored of them.
    pub(super) fn finalize_all(&mut self, turn: &str) -> Result<Vec<Change>, Stop> {
        let open = self.open_events(turn)?.into_iter();
        open.map(|event| self.finalize(turn, event, None)).collect()
    }
}
