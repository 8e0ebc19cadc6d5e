import noSecrets from "eslint-plugin-no-secrets";
import security from "eslint-plugin-security";

export default [
  {
    files: ["**/*.js"],
    plugins: { security, "no-secrets": noSecrets },
    languageOptions: { sourceType: "commonjs" },
    rules: {
      ...security.configs.recommended.rules,
      "no-secrets/no-secrets": "error",
      "no-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": "warn",
      "no-var": "error",
    },
  },
];
