//! Stands in for questions, which are not merged yet.

use super::approval_form::Decision;
use super::tools::Approvals;
use crate::AgentError;
use crate::handler::WorkerResponse;
use crate::protocol::Form;

pub(super) async fn ask(
    response: &WorkerResponse,
    form: &Form,
    approvals: &Approvals,
) -> Result<Decision, AgentError> {
    let _ = (approvals.timeout, &approvals.approver);
    response.form(form).await?;
    Ok(Decision::Expired)
}
