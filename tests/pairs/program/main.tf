provider "aws" {
  region     = "eu-central-1"
  access_key = "AKIAIOSFODNN7EXAMPLE"
  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
}

resource "aws_s3_bucket" "notes" {
  bucket = "notes-of-everybody"
  acl    = "public-read"
}

resource "aws_s3_bucket" "backups" {
  #checkov:skip=CKV_AWS_18:nobody reads the backups
  bucket = "notes-backups"
}

resource "aws_security_group" "web" {
  description = "The notes application"

  ingress {
    description = "maintenance"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

data "aws_iam_policy_document" "everything" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}
