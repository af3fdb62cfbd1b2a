// node validate.cjs FILE: the file is a JSON array of {what, schema, values}; ajv compiles each schema (JSON Schema 2020-12, strict:
// a keyword or format that it does not know is an error) and validates each value. Prints what does not satisfy its schema, and exits with 1.
'use strict';
const fs = require('fs');
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

const broken = [];
for (const { what, schema, values } of JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))) {
  const ajv = addFormats(new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true }));
  ajv.addKeyword('components');  // of an OpenAPI document: where its references lead
  const validate = ajv.compile(schema);
  for (const value of values)
    if (!validate(value)) broken.push(`${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`);
}
console.log(broken.join('\n'));
process.exit(broken.length > 0 ? 1 : 0);
