import { defineConfig } from "vite";

export default defineConfig({
  // Every asset a file of its own, so that there is something to serve.
  build: { assetsInlineLimit: 0, outDir: "built" },
  // `npm run dev`: the API comes from maitred.
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
