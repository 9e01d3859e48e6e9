//! The load balancer's ear on one port.

use anyhow::Result;
use aws_sdk_elasticloadbalancingv2::types::{
    self, ActionTypeEnum, Certificate, ProtocolEnum, RedirectActionConfig, RedirectActionStatusCodeEnum,
};
use serde::Serialize;

use super::load_balancer;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The listener of a load balancer on a port.
#[derive(Debug)]
pub struct Listener {
    /// The load balancer's name on AWS.
    pub load_balancer_name: String,
    /// The port.
    pub port: i32,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct ListenerSpec {
    /// `HTTPS` or `HTTP`.
    pub protocol: String,
    /// Which TLS versions and ciphers; left out, AWS would take a policy of 2016.
    pub ssl_policy: Option<String>,
    /// The certificate.
    pub certificate_arn: Option<String>,
    /// What becomes of requests that no rule takes.
    pub default_action: DefaultAction,
    /// Creation needs it; it is part of the key.
    #[serde(skip)]
    pub load_balancer_arn: String,
}

/// What becomes of requests that no rule takes.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAction {
    /// A target group answers them.
    Forward(String),
    /// They are told to come again.
    Redirect(Redirect),
    /// Something this tool never asks for.
    Other(String),
}

/// Where requests are sent that should have come another way.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Redirect {
    /// The protocol to come with.
    pub protocol: String,
    /// The port to come to.
    pub port: String,
    /// Host, path and query, where `#{host}` and the like stand for what was asked for.
    pub target: [String; 3],
    /// `HTTP_301` or `HTTP_302`.
    pub status: String,
}

impl Redirect {
    /// The same address by HTTPS, for good.
    pub fn to_https() -> Self {
        Self {
            protocol: "HTTPS".to_owned(),
            port: "443".to_owned(),
            target: ["#{host}", "/#{path}", "#{query}"].map(ToOwned::to_owned),
            status: "HTTP_301".to_owned(),
        }
    }
}

impl DefaultAction {
    fn of(actions: &[types::Action]) -> Self {
        let Some(action) = actions.first() else { return Self::Other("none".to_owned()) };
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        match (action.redirect_config(), action.r#type()) {
            (_, Some(ActionTypeEnum::Forward)) => Self::Forward(forwarded(actions)),
            (Some(to), _) => Self::Redirect(Redirect {
                protocol: text(to.protocol()),
                port: text(to.port()),
                target: [text(to.host()), text(to.path()), text(to.query())],
                status: text(to.status_code().map(RedirectActionStatusCodeEnum::as_str)),
            }),
            (None, kind) => Self::Other(text(kind.map(ActionTypeEnum::as_str))),
        }
    }

    fn action(&self) -> Result<types::Action> {
        match self {
            Self::Forward(target_group) => forward(target_group),
            Self::Redirect(to) => {
                let [host, path, query] = &to.target;
                let config = RedirectActionConfig::builder()
                    .protocol(&to.protocol)
                    .port(&to.port)
                    .host(host)
                    .path(path)
                    .query(query)
                    .status_code(RedirectActionStatusCodeEnum::from(to.status.as_str()));
                let action = types::Action::builder().r#type(ActionTypeEnum::Redirect);
                Ok(action.redirect_config(config.build()).build())
            }
            Self::Other(_) => Err(super::never_changes("another kind of default action")),
        }
    }
}

impl ListenerSpec {
    fn certificates(&self) -> Option<Vec<Certificate>> {
        let arn = self.certificate_arn.as_ref()?;
        Some(vec![Certificate::builder().certificate_arn(arn).build()])
    }
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerOutput {
    /// The ARN.
    pub arn: String,
}

/// Finds the listener on a port of a load balancer.
pub(super) async fn find(context: &Context, load_balancer_name: &str, port: i32) -> Result<Option<types::Listener>> {
    let found = load_balancer::find(context, load_balancer_name).await?;
    let Some(arn) = found.and_then(|found| found.load_balancer_arn) else { return Ok(None) };
    let ask = || async {
        let answer = context.aws.elb.describe_listeners().load_balancer_arn(&arn).send().await;
        Ok(answer.absent_on(&["LoadBalancerNotFound"])?.and_then(|answer| answer.listeners).unwrap_or_default())
    };
    let listeners = context.once(&format!("listeners of {arn}"), ask).await?;
    Ok(listeners.into_iter().find(|listener| listener.port == Some(port)))
}

/// The name of the hint with the ARN of the listener on a port.
pub(crate) fn hint(port: i32) -> String {
    format!("listener on {port}")
}

/// The action that forwards to one target group.
pub(super) fn forward(target_group_arn: &str) -> Result<types::Action> {
    let action = types::Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group_arn);
    Ok(action.build())
}

/// The target group that actions forward to, if that is all they do; otherwise what they do.
pub(super) fn forwarded(actions: &[types::Action]) -> String {
    match actions {
        [types::Action { target_group_arn: Some(group), .. }] => group.clone(),
        actions => {
            let kinds = actions.iter().filter_map(|action| action.r#type()).map(ActionTypeEnum::as_str);
            kinds.collect::<Vec<_>>().join(", then ")
        }
    }
}

impl Resource for Listener {
    const KIND: &'static str = "listener";

    type Spec = ListenerSpec;
    type Output = ListenerOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = find(context, &self.load_balancer_name, self.port).await? else { return Ok(None) };
        let certificate = found.certificates().first().and_then(|certificate| certificate.certificate_arn.clone());
        Ok(Some(Live {
            spec: ListenerSpec {
                protocol: found.protocol().map(|protocol| protocol.as_str().to_owned()).unwrap_or_default(),
                ssl_policy: found.ssl_policy.clone(),
                certificate_arn: certificate,
                default_action: DefaultAction::of(found.default_actions()),
                load_balancer_arn: found.load_balancer_arn.clone().unwrap_or_default(),
            },
            output: ListenerOutput { arn: super::sent(found.listener_arn, "the listener's ARN")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &ListenerSpec) -> Result<ListenerOutput> {
        let request = context
            .aws
            .elb
            .create_listener()
            .load_balancer_arn(&spec.load_balancer_arn)
            .port(self.port)
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .set_ssl_policy(spec.ssl_policy.clone())
            .set_certificates(spec.certificates())
            .default_actions(spec.default_action.action()?)
            .set_tags(Some(load_balancer::tags(context, &format!("listener-{}", self.port))));
        let answer = request.send().await.map_err(AwsError::from)?;
        let created = super::sent(answer.listeners.unwrap_or_default().into_iter().next(), "the listener")?;
        Ok(ListenerOutput { arn: super::sent(created.listener_arn, "the listener's ARN")? })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &ListenerSpec) -> Result<ListenerOutput> {
        let request = context
            .aws
            .elb
            .modify_listener()
            .listener_arn(&live.output.arn)
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .set_ssl_policy(spec.ssl_policy.clone())
            .set_certificates(spec.certificates())
            .default_actions(spec.default_action.action()?);
        request.send().await.map_err(AwsError::from)?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.elb.delete_listener().listener_arn(&live.output.arn);
        request.send().await.absent_on(&["ListenerNotFound"])?;
        Ok(())
    }
}
