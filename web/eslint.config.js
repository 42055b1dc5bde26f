import tseslint from "typescript-eslint";

const only = (module, pattern) => ({
  group: [pattern],
  message: `Only src/${module} imports this.`,
});

export default tseslint.config(
  { ignores: ["dist/", "client/dist/", "node_modules/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "test/bundled/*.js"] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Indexing typed arrays within their length is what numeric code does.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Numbers in messages are meant.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowArray: true }],
      // `() => void f()` and one-line setters read well.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // Objects here are records of functions; none uses `this`, and the one class that does is never taken apart.
      "@typescript-eslint/unbound-method": "off",
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
      "no-restricted-imports": ["error", { patterns: [only("tf.ts", "@tensorflow/*")] }],
      "no-restricted-globals": ["error", { name: "fetch", message: "Only src/http.ts calls fetch." }],
    },
  },
  {
    // The pages are made with nothing but what any page can have.
    files: ["src/pages/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            only("tf.ts", "@tensorflow/*"),
            { regex: "^\\.\\./(?!index$)", message: "Pages import only the library's entry, ../index, and each other." },
          ],
        },
      ],
    },
  },
  // The watcher reads live objects, and asks the API, where there is one, only when they are not there.
  { files: ["src/pages/watch.ts"], rules: { "no-restricted-imports": ["error", { patterns: [only("tf.ts", "@tensorflow/*")] }] } },
  { files: ["src/tf.ts", "src/wasm_urls.ts"], rules: { "no-restricted-imports": "off" } },
  { files: ["src/http.ts"], rules: { "no-restricted-globals": "off" } },
  // `(x) => void f(x)` as a handler, tests that play a foreign server, and long lists of situations.
  {
    files: ["test/**"],
    rules: {
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "max-lines": "off",
      "max-lines-per-function": "off",
      "no-restricted-globals": "off",
    },
  },
  { files: ["eslint.config.js", "test/bundled/*.js"], ...tseslint.configs.disableTypeChecked },
);
