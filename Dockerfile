# An image with the kit set up for the CPU. Written from the same set-up as a clone; it was never built or run by us.
#   docker build -t rifle-kit . && docker run --rm -it rifle-kit
FROM node:22-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv build-essential \
    && rm -rf /var/lib/apt/lists/*

# Not root: JupyterLab refuses it, and files in mounted folders keep their owner.
USER node
WORKDIR /home/node/rifle-kit
COPY --chown=node:node . .
ENV RIFLE_DEVICE=cpu
RUN node setup/main.mjs

CMD ["npx", "rifle", "doctor"]
