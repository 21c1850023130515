# syntax=docker/dockerfile:1
FROM node:26-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY protos protos
COPY src src
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/build build
COPY --from=build /src/protos protos
# Policies and audit trail are mounted; the root file system can be read-only.
USER 65532:65532
EXPOSE 9191 9192
HEALTHCHECK --interval=10s --timeout=2s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9192/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Room for short-lived objects: collecting them is a large part of what a Check costs (docs/benchmarks.md).
ENTRYPOINT ["node", "--max-semi-space-size=64", "dist/cli/main.js"]
CMD ["serve", "--policies", "/etc/sallyport/policies", "--listen", "unix:/run/sallyport/sallyport.sock"]
