export default {
  base: "./",
  worker: { format: "es" as const },
  // Vite's development server would move the library away from its worker.
  optimizeDeps: { exclude: ["@webnn/client"] },
};
