//! The authentication of a client.

use super::identity::SessionIdentity;
use super::session::Session;
use crate::auth::access::Action;
use crate::auth::{ConnectRequest, Identity, Refusal};
use crate::protocol::{ConnectPayload, ErrorBody, ErrorCode, clean_id, new_id, with_error_id};
use futures::FutureExt;
use std::error::Error;
use std::panic::AssertUnwindSafe;
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
        let is_proven = !self.server.config.authenticator.believes_clients();
        let mut granted = self.ask(request.clone()).await?;
        let admitted = if is_proven {
            granted.admit_proven()
        } else {
            granted.admit()
        };
        if let Err(refused) = admitted {
            return Err(if !is_proven {
                refused.at(&request.payload().place_of(refused.member))
            } else {
                let error: Box<dyn Error> = refused.at(refused.member).into();
                let error_id = new_id();
                tracing::error!(target: "dooers::auth", error_id, frame_id, error, "the authenticator returned an identity that cannot be used");
                let text = "the server failed to authenticate this client; try again later";
                ErrorBody::new(ErrorCode::InternalError, with_error_id(text, &error_id))
            });
        }
        if is_proven {
            self.server
                .unknown_roles
                .log(&granted.user.organization_role);
        }
        let private_threads = self.server.config.is_private(&self.agent);
        let identity = SessionIdentity::of(granted, &request, private_threads, is_proven);
        identity.can(Action::Converse, None)?;
        Ok(identity)
    }

    async fn ask(&self, request: ConnectRequest) -> Result<Identity, ErrorBody> {
        let authenticator = &self.server.config.authenticator;
        let limit = self.server.config.limits.auth_timeout;
        // The value of a panic is not logged, because it may contain the token.
        let asking = AssertUnwindSafe(authenticator.authenticate(request)).catch_unwind();
        let asking = timeout(limit, asking);
        let asked = tokio::select! {
            // The answer reaches nobody.
            () = self.ending.ended() => {
                return Err(Refusal::unavailable("the connection has ended").into_answer());
            }
            asked = asking => asked,
        };
        Err(match asked {
            Ok(Ok(Ok(identity))) => return Ok(identity),
            Ok(Ok(Err(refusal))) => self.refused(refusal),
            Ok(Err(_)) => {
                self.refused_because(Refusal::cannot_authenticate(), "the authenticator panicked")
            }
            Err(_) => self.refused_because(
                Refusal::cannot_authenticate(),
                "the authenticator did not answer in time",
            ),
        })
    }

    /// Returns the answer to a refused client.
    fn refused(&self, refusal: Refusal) -> ErrorBody {
        let reason = refusal.to_string();
        self.refused_because(refusal, &reason)
    }

    /// Returns the answer to a client that is refused for this reason, which is logged unless the client caused it.
    ///
    /// Clients that are refused too often are only answered that, and not logged. The quota never delays a client that the
    /// authenticator accepts: others at the same address cannot keep it out.
    fn refused_because(&self, refusal: Refusal, reason: &str) -> ErrorBody {
        let mut answer = refusal.into_answer();
        if answer.code == ErrorCode::Unauthorized {
            self.record_refusal();
        }
        if let Some(Err(limited)) = self
            .meter
            .as_ref()
            .map(|meter| meter.failed_authentication())
        {
            return limited;
        }
        if answer.code != ErrorCode::Unauthorized {
            let error_id = new_id();
            tracing::warn!(target: "dooers::auth", error_id, reason, "a client could not be authenticated");
            answer.message = with_error_id(&answer.message, &error_id);
        }
        answer
    }
}

/// Checks the worker's id, which no authenticator replaces.
fn check_worker(payload: &ConnectPayload) -> Result<(), ErrorBody> {
    clean_id(&payload.place_of("worker_id"), payload.worker_id()?)
}
