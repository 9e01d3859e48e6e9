//! What AWS says when something does not come up, and what that means: sentences, and nothing else.
//!
//! In each list the first entry of which every fragment occurs decides, so the more specific one comes first; a test
//! shows for each entry that nothing before it takes its place.

use super::{Age, Entry, entry};

/// Why a task stopped.
pub(super) const STOPS: &[Entry] = &[
    // The image.
    entry(
        &["CannotPull", "does not contain descriptor matching platform"],
        "the image is for another processor than the task; build it for `task.architecture`, or change that",
    ),
    entry(
        &["CannotPull", "no space left on device"],
        "the image does not fit on the task's disk of 20 GiB; make it smaller",
    ),
    entry(
        &["CannotPull", "manifest unknown"],
        "the image is not in the repository: it was deleted, or expired because `images.keep` newer ones came after \
         it; deploy another one with --image-layout",
    ),
    entry(
        &["CannotPull", "name unknown"],
        "the repository is gone; `provision deploy` makes it again, and --image-layout brings the image back",
    ),
    entry(
        &["CannotPull", "403 Forbidden"],
        "the execution role may not pull from the repository; `provision deploy` puts the role's policy back, and a \
         policy of the organisation or of the repository may forbid it",
    ),
    entry(
        &["CannotPull", "i/o timeout"],
        "there is no way from the task to the registry: it needs a public address and a route to the internet gateway, \
         or NAT (`network.nat_gateways`), and port 443 open to the outside; `provision deploy` puts all that back",
    ),
    entry(
        &["CannotPull", "httpReaderSeeker: failed open"],
        "the registry answered, but the layers of the image, which are in S3, could not be read: port 443 to the \
         outside is closed, or an S3 endpoint's policy forbids it; `provision deploy` puts security groups and routes back",
    ),
    entry(
        &["CannotPull", ": not found"],
        "the image is not in the repository under this digest: it was deleted, or expired (`images.keep`); deploy \
         another one with --image-layout",
    ),
    entry(&["CannotPull"], "the image cannot be fetched; the end of AWS's sentence says why"),
    // The log, before the secrets: both say `ResourceNotFoundException`.
    entry(
        &["failed to validate logger args", "log group does not exist"],
        "the log group was deleted; `provision deploy` makes it again",
    ),
    entry(
        &["failed to validate logger args", "awslogs-region is required"],
        "the task definition does not name the log's region, so somebody else made it; `provision deploy` makes another",
    ),
    entry(
        &["failed to validate logger args", "AccessDeniedException"],
        "the execution role may not write the log; `provision deploy` puts its policy back",
    ),
    entry(
        &["failed to validate logger args"],
        "the log cannot be reached; `provision deploy` puts log group, roles and routes back",
    ),
    // The secret.
    entry(
        &["did not contain json key"],
        "the secret lacks a key that the task names, so somebody took it out; put it in with `provision secrets set`, or \
         leave it empty with `provision secrets import` and a line `KEY=`; `provision secrets list` shows which are there",
    ),
    entry(
        &["looking for beginning of value"],
        "the secret's value is not JSON, so somebody wrote it by hand; `provision secrets import` writes it as it must be",
    ),
    entry(
        &["unable to pull secrets", "ResourceNotFoundException"],
        "the secret is gone, or was made anew under another ARN; `provision deploy` makes it, and a task that names it",
    ),
    entry(
        &["unable to pull secrets", "KMS"],
        "the execution role may not use the key with which the secret is encrypted; allow it kms:Decrypt, or encrypt the \
         secret with the key of AWS again",
    ),
    entry(
        &["unable to pull secrets", "AccessDeniedException", "ecr:GetAuthorizationToken"],
        "the execution role may not sign in to the registry; `provision deploy` puts its policy back",
    ),
    entry(
        &["unable to pull secrets", "AccessDeniedException"],
        "the execution role may not read the secret; `provision deploy` puts its policy back, and a policy of the \
         organisation or of the secret may forbid it",
    ),
    entry(
        &["unable to pull secrets", "context deadline exceeded"],
        "there is no way from the task to Secrets Manager or the registry: it needs a public address or NAT \
         (`network.nat_gateways`), and port 443 open to the outside; `provision deploy` puts all that back",
    ),
    entry(
        &["unable to pull secrets", "i/o timeout"],
        "no connection from the task to Secrets Manager or the registry came about: routes, public address and port 443 \
         to the outside must be as `provision deploy` makes them; run it again",
    ),
    entry(
        &["unable to pull secrets"],
        "the task could not fetch its secret or sign in to the registry; the end of AWS's sentence says why",
    ),
    // The disk.
    entry(
        &["EFS utils", "Failed to resolve"],
        "the disk has no mount target in the task's zone, or one that is younger than 90 seconds, or the network answers \
         no names; run `provision deploy` again, which puts all that back",
    ),
    entry(
        &["EFS utils", "Connection timed out"],
        "the disk's security group does not let the service in on port 2049; `provision deploy` puts the rule back",
    ),
    entry(
        &["EFS utils", "Connection reset by peer"],
        "the disk's mount target is still settling; run `provision deploy` again",
    ),
    entry(
        &["EFS utils", "access denied by server while mounting"],
        "the disk refuses the task: its own policy or the task's role does not allow this access point; `provision \
         deploy` puts both back",
    ),
    entry(
        &["EFS utils", "No such file or directory"],
        "the access point's folder does not exist on the disk, and the access point may not make it; `provision deploy` \
         makes an access point that may",
    ),
    entry(
        &["EFS utils"],
        "the disk cannot be mounted; the end of AWS's sentence says why, and `provision deploy` puts mount targets, \
         security groups and policies back",
    ),
    // The network.
    entry(
        &["Timeout waiting for network interface provisioning"],
        "AWS was slow to give the task its network interface; run `provision deploy` again",
    ),
    entry(
        &["InsufficientFreeAddressesInSubnet"],
        "the subnet has no free addresses; remove what else is in it, or move to a larger `network.cidr`, which takes \
         `provision destroy` first",
    ),
    // The container.
    entry(&["OutOfMemoryError"], "the container used more memory than `task.memory_mib`; raise it"),
    entry(
        &["exec format error"],
        "the program is for another processor than the task; build the image for `task.architecture`, or change that",
    ),
    entry(
        &["Task failed ELB health checks"],
        "the load balancer got no 200 from /health/ready in time; the task's log says what was not ready, and \
         `service.health_check_grace_seconds` gives it longer to start",
    ),
    entry(
        &["failed container health checks"],
        "`/app/app health` failed in the container; the task's log says what was not well",
    ),
    entry(
        &["Your Spot Task was interrupted"],
        "AWS took the capacity back; a single task should not run on Spot, and `provision deploy` makes services that do \
         not",
    ),
    entry(
        &["Scaling activity initiated by"],
        "an ordinary replacement, by another deployment or another number of tasks",
    ),
];

/// How a program ended, by the exit code of the essential container.
pub(super) const EXITS: &[(i32, &str)] = &[
    (0, "the program ended by itself, although it should run for ever; the last lines of its log say why"),
    (
        3,
        "the service refused its settings; the last lines of its log say which, `app_settings` and `provision secrets` \
         hold them",
    ),
    (137, "it was killed: out of memory (`task.memory_mib`), or it took longer than its 30 seconds to stop"),
    (139, "it crashed with a memory fault; the last lines of its log may say where"),
    (143, "it was asked to stop, and did, as it does whenever a task is replaced"),
];

/// Any other exit code.
pub(super) const OTHER_EXIT: &str = "the program failed; the last lines of its log say why";

/// What the scheduler says of the service.
pub(super) const EVENTS: &[Entry] = &[
    entry(
        &["reached the limit on the number of vCPUs"],
        "the account may not run so many vCPUs on Fargate at once; ask AWS for more (Service Quotas, Fargate On-Demand \
         vCPU resource count), lower `task.cpu`, `scaling.max` or `service.maximum_percent`, or stop other tasks; \
         `provision doctor` does the sum",
    ),
    entry(
        &["was unable to place a task", "Capacity is unavailable"],
        "AWS has no room in these zones right now; ECS tries again by itself, and more `network.zones` help",
    ),
    entry(
        &["was unable to place a task", "InsufficientFreeAddressesInSubnet"],
        "the subnets have no free addresses for another task; remove what else is in them, or move to a larger \
         `network.cidr`, which takes `provision destroy` first",
    ),
    entry(
        &["was unable to place a task"],
        "ECS found no place for the task and tries again by itself; the end of its sentence says what was missing",
    ),
    Entry {
        age: Age::Young,
        ..entry(
            &["unable to assume the role"],
            "a role that was made or changed moments ago is not known everywhere yet; ECS tries again by itself in half a \
             minute",
        )
    },
    entry(
        &["unable to assume the role"],
        "the role is gone, or does not trust ecs-tasks.amazonaws.com, or the caller may not pass it on (iam:PassRole); \
         `provision deploy` puts role and trust back, `provision doctor` shows missing permissions",
    ),
    entry(
        &["is unhealthy in", "Request timed out"],
        "the load balancer reaches no answer within its timeout: the service is too slow, or its security group does not \
         let the load balancer in; `provision logs` shows the former, `provision deploy` mends the latter",
    ),
    entry(
        &["is unhealthy in", "Health checks failed with these codes"],
        "the service answers /health/ready, but not with 200; `provision logs` says what is not ready",
    ),
    entry(
        &["is unhealthy in", "Availability Zone that is not enabled"],
        "the task runs in a zone that the load balancer does not serve; `provision deploy` gives both the same subnets",
    ),
    entry(
        &["is unhealthy in"],
        "nothing answers on the task's port, or nothing that is HTTP; `provision logs` says whether the service came up",
    ),
];

/// What the load balancer says of a target, by the code of its reason.
pub(super) const TARGETS: &[Entry] = &[
    entry(&["Elb.RegistrationInProgress"], "the load balancer is taking the task in; wait"),
    entry(&["Elb.InitialHealthChecking"], "the load balancer has not asked often enough yet; wait"),
    entry(
        &["Target.ResponseCodeMismatch"],
        "the service answers /health/ready, but not with 200; `provision logs` says what is not ready",
    ),
    entry(
        &["Target.Timeout"],
        "the load balancer reaches no answer within its timeout: the service is too slow, or its security group does not \
         let the load balancer in; `provision logs` shows the former, `provision deploy` mends the latter",
    ),
    entry(
        &["Target.FailedHealthChecks"],
        "nothing answers on the task's port, or nothing that is HTTP; `provision logs` says whether the service came up",
    ),
    entry(
        &["Target.NotInUse"],
        "no listener sends requests to this target group, or the load balancer does not serve the task's zone; \
         `provision deploy` puts listeners and subnets back",
    ),
    entry(
        &["Target.NotRegistered"],
        "the task is not among the targets; ECS registers it by itself, and one that somebody took out comes back with \
         the next deployment",
    ),
    entry(
        &["Target.IpUnusable"],
        "the task got an address that the load balancer keeps for itself; stop the task, and ECS starts another",
    ),
    entry(&["Target.InvalidState"], "the task has stopped; ECS starts another by itself"),
    entry(
        &["Target.DeregistrationInProgress"],
        "the task is going, and its last requests may end within `edge.deregistration_delay_seconds`; wait",
    ),
    entry(
        &["Target.HealthCheckDisabled"],
        "health checks are switched off, so somebody changed the target group; `provision deploy` puts them back",
    ),
    entry(&["Elb.InternalError"], "the load balancer has a fault of its own; wait, and look at AWS's health dashboard"),
];
