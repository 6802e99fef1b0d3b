// Classifies dropped images and the camera's picture, in this browser. Nothing is sent anywhere.
(() => {
  const { card, modelTopology, signature, weightSpecs, weights } = globalThis.MODEL;
  const { classes, imageSize, resizeSize } = card;
  const byId = (id) => document.getElementById(id);
  const SHOWN = 5; // classes with a bar

  const loadModel = async () => {
    const backend = new URLSearchParams(location.search).get('backend');
    if (backend !== null) await tf.setBackend(backend);
    await tf.ready();
    const weightData = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0)).buffer;
    return tf.loadGraphModel(tf.io.fromMemory({ modelTopology, signature, weightSpecs, weightData, format: 'graph-model' }));
  };
  const loading = loadModel();

  /** RGB pixels of anything that a canvas can draw: an ImageBitmap, or a video's picture. */
  const pixelsOf = (source, width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(source, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const rgb = new Uint8Array(width * height * 3);
    for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
      rgb[to] = data[from];
      rgb[to + 1] = data[from + 1];
      rgb[to + 2] = data[from + 2];
    }
    return { width, height, pixels: rgb };
  };

  /** The square that the network sees: the short side at `resizeSize`, then the centre. */
  const squareOf = (image) => {
    const resized = pixels.resizeShortSide(image, resizeSize);
    const square = new Uint8Array(imageSize * imageSize * 3);
    const crop = pixels.centerCrop(resized.width, resized.height, imageSize);
    pixels.copyCrop(resized.pixels, 0, resized.width, crop, imageSize, square, 0);
    return square;
  };

  /** Probabilities of all classes, logits, and the class activation map of the likeliest. */
  const predict = async (square) => {
    const model = await loading;
    const images = tf.tensor4d(Int32Array.from(square), [1, imageSize, imageSize, 3], 'int32');
    const outputs = model.execute({ images }, ['logits', 'probabilities', 'map']);
    const [logits, probabilities, values] = await Promise.all(outputs.map((tensor) => tensor.data()));
    const [, height, width] = outputs[2].shape;
    tf.dispose([images, outputs]);
    return { logits: [...logits], probabilities: [...probabilities], map: { height, width, values: [...values] } };
  };

  /** Classifies an image file (a Blob). */
  const classify = async (blob) => {
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
    const square = squareOf(pixelsOf(bitmap, bitmap.width, bitmap.height));
    bitmap.close();
    return { square, ...(await predict(square)) };
  };

  const draw = (canvas, square, map) => {
    canvas.width = canvas.height = imageSize;
    const context = canvas.getContext('2d');
    const image = context.createImageData(imageSize, imageSize);
    for (let from = 0, to = 0; from < square.length; from += 3, to += 4)
      image.data.set([square[from], square[from + 1], square[from + 2], 255], to);
    context.putImageData(image, 0, 0);
    if (!byId('heat').checked) return;
    const heat = new OffscreenCanvas(map.width, map.height);
    const overlay = new ImageData(map.width, map.height);
    const most = Math.max(...map.values);
    map.values.forEach((value, i) => {
      const strength = most > 0 ? Math.max(0, value) / most : 0;
      overlay.data.set([255, Math.round(200 * (1 - strength)), 0, Math.round(170 * strength)], 4 * i);
    });
    heat.getContext('2d').putImageData(overlay, 0, 0);
    context.imageSmoothingQuality = 'high';
    context.drawImage(heat, 0, 0, imageSize, imageSize);
  };

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const bars = (probabilities) =>
    probabilities
      .map((probability, label) => ({ probability, name: classes[label] }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, SHOWN)
      .map(({ name, probability }) => {
        const row = element('div', 'row');
        const track = element('span', 'track');
        const fill = element('div', 'fill');
        fill.style.width = `${100 * probability}%`;
        track.append(fill);
        const label = element('span', '', name);
        label.title = name;
        row.append(label, track, element('span', '', `${(100 * probability).toFixed(1)} %`));
        return row;
      });

  const fill = (result, name, answer) => {
    const [canvas, side] = [element('canvas'), element('div')];
    const best = answer.probabilities.indexOf(Math.max(...answer.probabilities));
    draw(canvas, answer.square, answer.map);
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${name}, as the model sees it`);
    side.append(element('h2', '', classes[best]), ...bars(answer.probabilities), element('p', 'file', name));
    result.replaceChildren(canvas, side);
    result.redraw = () => draw(canvas, answer.square, answer.map);
    result.dataset.class = classes[best];
  };

  const showFiles = async (files) => {
    for (const file of files) {
      const result = element('section', 'result');
      byId('results').prepend(result);
      byId('status').textContent = `Classifying ${file.name}`;
      try {
        fill(result, file.name, await classify(file));
      } catch (error) {
        result.replaceChildren(element('p', 'failure', `${file.name} cannot be read: ${error.message}`));
      }
    }
    byId('status').textContent = 'Ready';
  };

  const stopCamera = () => {
    const video = byId('video');
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    video.classList.remove('on');
    byId('camera').textContent = 'Use the camera';
  };

  const startCamera = async () => {
    const video = byId('video');
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    await video.play();
    video.classList.add('on');
    byId('camera').textContent = 'Stop the camera';
    const result = element('section', 'result');
    byId('results').prepend(result);
    while (video.srcObject !== null) {
      const square = squareOf(pixelsOf(video, video.videoWidth, video.videoHeight));
      fill(result, 'Camera', { square, ...(await predict(square)) });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  byId('title').textContent = `Classifier of ${card.dataset.name}`;
  document.title = byId('title').textContent;
  byId('about').textContent =
    `${classes.length} classes. Images are classified in this browser and are not sent anywhere.`;
  byId('origin').textContent =
    `Run ${card.run} of rifle-kit ${card.kit}: ${card.method}, ${card.backbone}, ` +
    `top-1 ${(100 * card.top1).toFixed(1)} %. Licence of the pretrained weights: ${card.licence}.`;
  const drop = byId('drop');
  drop.addEventListener('click', () => byId('files').click());
  drop.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') byId('files').click();
  });
  byId('files').addEventListener('change', (event) => showFiles([...event.target.files]));
  for (const name of ['dragover', 'dragleave', 'drop'])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle('over', name === 'dragover');
      if (name === 'drop') showFiles([...event.dataTransfer.files]);
    });
  byId('camera').addEventListener('click', () => {
    if (byId('video').srcObject !== null) return stopCamera();
    startCamera().catch((error) => {
      stopCamera();
      byId('status').textContent = `The camera cannot be used: ${error.message}`;
    });
  });
  byId('heat').addEventListener('change', () => {
    for (const result of byId('results').children) result.redraw?.();
  });
  loading.then(
    () => (byId('status').textContent = 'Ready'),
    (error) => (byId('status').textContent = `The model cannot be loaded: ${error.message}`),
  );
  globalThis.rifleKit = { ready: loading, classify, classes };
})();
