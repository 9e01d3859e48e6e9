//! Who is told what a topic is told: an address must be confirmed by whoever reads its mail.

use super::World;
use crate::answer::{Answer, Refusal};
use crate::call::Call;

/// One address at one topic.
#[derive(Clone, Debug)]
pub struct Subscription {
    topic: String,
    protocol: String,
    endpoint: String,
    /// AWS's word for it, once it is confirmed.
    arn: Option<String>,
}

/// All subscriptions, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Subscriptions {
    all: Vec<Subscription>,
    asked: u64,
}

impl Subscriptions {
    /// Somebody clicks on the link in the mail.
    pub fn confirm(&mut self, endpoint: &str) {
        for found in self.all.iter_mut().filter(|it| it.endpoint == endpoint && it.arn.is_none()) {
            self.asked += 1;
            found.arn = Some(format!("{}:00000000-0000-4000-8000-{:012}", found.topic, self.asked));
        }
    }

    /// Nobody clicked for three days.
    pub fn expire(&mut self) {
        self.all.retain(|it| it.arn.is_some());
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    fn subscribe(&mut self, call: &Call) -> Answer {
        let (topic, protocol, endpoint) = (call.text("TopicArn"), call.text("Protocol"), call.text("Endpoint"));
        let is = |it: &&Subscription| it.topic == topic && it.protocol == protocol && it.endpoint == endpoint;
        let arn = self.all.iter().find(is).map(|it| it.arn.clone());
        let arn = arn.unwrap_or_else(|| {
            let [topic, protocol, endpoint] = [topic, protocol, endpoint].map(ToOwned::to_owned);
            self.all.push(Subscription { topic, protocol, endpoint, arn: None });
            None
        });
        let shown = arn.as_deref().unwrap_or("pending confirmation");
        Answer::xml(format!(
            "<SubscribeResponse><SubscribeResult><SubscriptionArn>{shown}</SubscriptionArn></SubscribeResult>\
             </SubscribeResponse>"
        ))
    }

    fn list(&self, call: &Call) -> Answer {
        let of_topic = self.all.iter().filter(|it| it.topic == call.text("TopicArn"));
        let members = of_topic.map(|it| {
            let arn = it.arn.as_deref().unwrap_or("PendingConfirmation");
            format!(
                "<member><SubscriptionArn>{arn}</SubscriptionArn><TopicArn>{}</TopicArn><Protocol>{}</Protocol>\
                 <Endpoint>{}</Endpoint></member>",
                it.topic, it.protocol, it.endpoint
            )
        });
        Answer::xml(format!(
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>{}</Subscriptions>\
             </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>",
            members.collect::<String>()
        ))
    }

    fn unsubscribe(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let arn = call.text("SubscriptionArn");
        if !arn.starts_with("arn:") {
            return Err(Refusal::new("InvalidParameter", "Invalid parameter: SubscriptionArn"));
        }
        self.all.retain(|it| it.arn.as_deref() != Some(arn));
        Ok(Answer::xml("<UnsubscribeResponse/>"))
    }
}

/// The topics themselves are the emulator's.
pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let state = &mut world.subscriptions;
    match call.operation.as_str() {
        "Subscribe" => Some(Ok(state.subscribe(call))),
        "ListSubscriptionsByTopic" => Some(Ok(state.list(call))),
        "Unsubscribe" => Some(state.unsubscribe(call)),
        "DeleteTopic" => {
            state.all.retain(|it| it.topic != call.text("TopicArn"));
            None
        }
        _ => None,
    }
}

/// A topic counts its subscriptions; the emulator does not.
pub(super) fn observe(world: &World, call: &Call, answer: &mut Answer) {
    if call.operation != "GetTopicAttributes" {
        return;
    }
    let of_topic = || world.subscriptions.all.iter().filter(|it| it.topic == call.text("TopicArn"));
    let confirmed = of_topic().filter(|it| it.arn.is_some()).count();
    let entry = |key: &str, count: usize| format!("<entry><key>{key}</key><value>{count}</value></entry>");
    let counts =
        entry("SubscriptionsConfirmed", confirmed) + &entry("SubscriptionsPending", of_topic().count() - confirmed);
    answer.body = answer.body.replace("</Attributes>", &format!("{counts}</Attributes>"));
}
