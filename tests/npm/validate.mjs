// Checks values against JSON Schema 2020-12. Each line of standard input is a request, answered by a line that is a list:
// `{"define": id, "schema": ...}` compiles a schema, answered by `[]`; `{"id": id, "value": ...}` checks a value, answered by
// what is wrong with it, empty when it is valid.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

// The packages are not beside this file, but in the folder that is named as the argument.
const require = createRequire(`${process.argv[2]}/package.json`);
const { default: Ajv } = require("ajv/dist/2020");

// OpenAPI documents have keywords and formats of their own, which JSON Schema lets pass as annotations.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const defined = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.define !== undefined) {
    defined.set(request.define, ajv.compile(request.schema));
    console.log("[]");
    continue;
  }
  const validate = defined.get(request.id);
  if (validate === undefined) throw new Error(`no schema ${request.id} was defined`);
  const errors = validate(request.value) ? [] : validate.errors;
  console.log(JSON.stringify(errors.map((error) => `${error.instancePath || "/"}: ${error.message}`)));
}
