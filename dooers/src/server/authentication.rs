//! The authentication of a client.

use super::identity::SessionIdentity;
use super::session::Session;
use crate::auth::access::Action;
use crate::auth::{ConnectRequest, Identity, Refusal};
use crate::protocol::{ConnectPayload, ErrorBody, ErrorCode, clean_id};
use std::error::Error;
use tokio::time::timeout;

impl Session {
    /// Returns the identity of the client that sends this `connect`, the frame with this id.
    pub(super) async fn authenticate(
        &self,
        frame_id: &str,
        payload: ConnectPayload,
    ) -> Result<SessionIdentity, ErrorBody> {
        check_worker(&payload)?;
        let request = ConnectRequest::new(
            self.agent.name(),
            payload,
            self.origin.headers.clone(),
            self.origin.peer,
        )
        .map_err(|refusal| self.refused(refusal))?;
        let mut granted = self.ask(request.clone()).await?;
        if let Err(refused) = granted.admit() {
            return Err(if self.server.config.authenticator.believes_clients() {
                refused.at(&request.payload().place_of(refused.member))
            } else {
                let error: Box<dyn Error> = refused.at(refused.member).into();
                tracing::error!(target: "dooers::auth", frame_id, error, "the authenticator returned an identity that cannot be used");
                ErrorBody::new(
                    ErrorCode::InternalError,
                    "the server failed to authenticate this client; try again later",
                )
            });
        }
        let private_threads = self.server.config.private_threads;
        let identity = SessionIdentity::of(granted, &request, private_threads);
        identity.can(Action::Converse, None)?;
        Ok(identity)
    }

    async fn ask(&self, request: ConnectRequest) -> Result<Identity, ErrorBody> {
        let authenticator = &self.server.config.authenticator;
        let asking = timeout(
            self.server.config.limits.auth_timeout,
            authenticator.authenticate(request),
        );
        let asked = tokio::select! {
            // The answer reaches nobody.
            () = self.ending.ended() => Err(Refusal::unavailable("the connection has ended")),
            asked = asking => asked.unwrap_or_else(|_| {
                tracing::warn!(target: "dooers::auth", "the authenticator did not answer in time");
                Err(Refusal::unavailable("the server cannot authenticate clients now; try again later"))
            }),
        };
        asked.map_err(|refusal| self.refused(refusal))
    }

    /// Returns the answer to a refused client.
    fn refused(&self, refusal: Refusal) -> ErrorBody {
        let answer = refusal.into_answer();
        if answer.code == ErrorCode::Unauthorized {
            self.record_refusal();
        }
        answer
    }
}

/// Checks the worker's id, which no authenticator replaces.
fn check_worker(payload: &ConnectPayload) -> Result<(), ErrorBody> {
    clean_id(&payload.place_of("worker_id"), payload.worker_id()?)
}
