//! Flow logs: who writes down what, and where.

use std::collections::BTreeMap;

use super::{World, network};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::xml::{self, Fields};

/// A flow log.
#[derive(Clone, Debug)]
pub struct FlowLog {
    /// What it is of.
    pub resource: String,
    /// Where it writes.
    pub log_group: String,
    fields: Fields,
}

/// All of them by identifier.
#[derive(Debug, Default)]
pub struct FlowLogs {
    /// The flow logs.
    pub all: BTreeMap<String, FlowLog>,
    /// What was made for each token, and stays the answer to it.
    tokens: BTreeMap<String, String>,
}

impl FlowLogs {
    /// Whether something was made for a token before.
    pub fn knows_token(&self, token: &str) -> bool {
        self.tokens.contains_key(token)
    }

    fn create(&mut self, call: &Call) -> Answer {
        let token = call.text("ClientToken").to_owned();
        let id = self.tokens.get(&token).cloned().unwrap_or_else(|| {
            let id = format!("fl-{:017x}", self.tokens.len() + 1);
            self.all.insert(id.clone(), flow_log(&id, call));
            id
        });
        // Without a token of ours, each request has one of its own.
        let token = if token.is_empty() { id.clone() } else { token };
        self.tokens.insert(token, id.clone());
        Answer::xml(format!(
            "<CreateFlowLogsResponse><flowLogIdSet><item>{id}</item></flowLogIdSet><unsuccessful/>\
             </CreateFlowLogsResponse>"
        ))
    }

    fn describe(&self, call: &Call) -> Answer {
        let found = self.all.iter().filter(|(id, it)| network::is_meant(id, &it.fields, call));
        let items = found.map(|(_, it)| format!("<item>{}</item>", xml::elements(&it.fields)));
        Answer::xml(format!(
            "<DescribeFlowLogsResponse><flowLogSet>{}</flowLogSet></DescribeFlowLogsResponse>",
            items.collect::<String>()
        ))
    }

    fn delete(&mut self, call: &Call) -> Result<Answer, Refusal> {
        for id in call.list("FlowLogId") {
            if self.all.remove(id).is_none() {
                let message = format!("The specified flow log ID '{id}' does not exist");
                return Err(Refusal::new("InvalidFlowLogId.NotFound", message));
            }
        }
        Ok(Answer::xml("<DeleteFlowLogsResponse><unsuccessful/></DeleteFlowLogsResponse>"))
    }
}

fn flow_log(id: &str, call: &Call) -> FlowLog {
    let interval = call.fields["MaxAggregationInterval"].as_str().unwrap_or("600");
    let mut fields = Fields::from([
        ("flowLogId".to_owned(), id.to_owned()),
        ("flowLogStatus".to_owned(), "ACTIVE".to_owned()),
        ("maxAggregationInterval".to_owned(), interval.to_owned()),
    ]);
    for (shown, asked) in [
        ("resourceId", "ResourceId.1"),
        ("trafficType", "TrafficType"),
        ("logDestinationType", "LogDestinationType"),
        ("logGroupName", "LogGroupName"),
        ("deliverLogsPermissionArn", "DeliverLogsPermissionArn"),
    ] {
        fields.insert(shown.to_owned(), call.text(asked).to_owned());
    }
    fields.extend(network::tags(call));
    let (resource, log_group) = (call.text("ResourceId.1").to_owned(), call.text("LogGroupName").to_owned());
    FlowLog { resource, log_group, fields }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let logs = &mut world.flow_logs;
    Some(match call.operation.as_str() {
        "CreateFlowLogs" => Ok(logs.create(call)),
        "DescribeFlowLogs" => Ok(logs.describe(call)),
        "DeleteFlowLogs" => logs.delete(call),
        _ => return None,
    })
}
