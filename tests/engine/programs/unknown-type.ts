import * as pulumi from "@pulumi/pulumi";

class Bucket extends pulumi.CustomResource {}
new Bucket("aws:s3/bucket:Bucket", "bucket", {});
