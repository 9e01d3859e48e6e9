"""Topics.

Restored: who subscribes by mail has to confirm it, and nobody does here, so the subscription stays pending
(ministack takes it as confirmed).
"""

from ministack.services import sns


def install():
    sns._subscribe = _asking_by_mail(sns._subscribe)


def _asking_by_mail(subscribe):
    def ask(params):
        answer = subscribe(params)
        topic, _ = sns._get_topic(sns._p(params, "TopicArn"))
        for subscription in topic["subscriptions"] if topic else []:
            if subscription["protocol"] == "email" and subscription["confirmed"]:
                arn = subscription["arn"]
                subscription |= {"arn": "PendingConfirmation", "confirmed": False}
                subscription["attributes"]["PendingConfirmation"] = "true"
                sns._sub_arn_to_topic.pop(arn, None)
                sns._refresh_subscription_counts(topic)
                if sns._p(params, "ReturnSubscriptionArn") != "true":
                    status, headers, body = answer
                    answer = status, headers, body.replace(arn.encode(), b"pending confirmation")
        return answer

    return ask
