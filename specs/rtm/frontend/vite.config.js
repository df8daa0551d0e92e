import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// In production the web server in front of the files knows where the API is; here Vite does.
export default defineConfig({
  plugins: [react()],
  build: { sourcemap: true },
  server: { proxy: { "/api": process.env.API_URL ?? "http://localhost:8000" } },
});
