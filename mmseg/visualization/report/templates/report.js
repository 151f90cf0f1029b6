const tip = document.getElementById('tip');

function nearest(sorted, wanted) {
  let best = 0;
  sorted.forEach((value, place) => { if (Math.abs(value - wanted) < Math.abs(sorted[best] - wanted)) best = place; });
  return best;
}

function entry(run, text) {
  const row = document.createElement('div'), name = document.createElement('span'), value = document.createElement('b');
  const dot = document.createElement('i');
  dot.className = 'dot run-' + run % 8;
  name.append(dot, runNames[run]);
  value.textContent = text;
  row.append(name, value);
  return row;
}

function showValues(svg, event) {
  const data = JSON.parse(svg.dataset.hover), box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
  const x = Math.min(Math.max((event.clientX - box.left) * scale, data.left), data.right);
  const pointed = (x - data.left) / (data.right - data.left) * data.last;
  // All lines are read at the logged iteration nearest to the pointer.
  const ends = data.lines.map(line => line.x[nearest(line.x, pointed)]);
  const iteration = ends[nearest(ends, pointed)];
  const title = document.createElement('div');
  title.textContent = 'iteration ' + iteration.toLocaleString('en');
  const rows = data.lines.map(line => {
    const place = nearest(line.x, iteration), value = line.y[place];
    const away = line.x[place] === iteration ? '' : ' (at ' + line.x[place].toLocaleString('en') + ')';
    return entry(line.run, (value === null ? '–' : value.toLocaleString('en', { maximumSignificantDigits: 5 })) + away);
  });
  tip.replaceChildren(title, ...rows);
  tip.hidden = false;
  const left = event.clientX + 16, fits = left + tip.offsetWidth < window.innerWidth - 8;
  tip.style.left = Math.max(4, fits ? left : event.clientX - tip.offsetWidth - 16) + 'px';
  tip.style.top = Math.max(4, Math.min(event.clientY + 12, window.innerHeight - tip.offsetHeight - 8)) + 'px';
  const cross = svg.querySelector('.cross'), place = data.left + iteration / data.last * (data.right - data.left);
  cross.setAttribute('x1', place);
  cross.setAttribute('x2', place);
  cross.setAttribute('visibility', 'visible');
}

document.querySelectorAll('svg[data-hover]').forEach(svg => {
  svg.addEventListener('pointermove', event => showValues(svg, event));
  svg.addEventListener('pointerleave', () => {
    tip.hidden = true;
    svg.querySelector('.cross').setAttribute('visibility', 'hidden');
  });
});

const zoom = document.getElementById('zoom'), stage = zoom.querySelector('div');
document.querySelectorAll('.sheet .picture').forEach(figure => figure.addEventListener('click', () => {
  if (!figure.querySelector('img')) return;
  const copy = figure.cloneNode(true), veil = copy.querySelector('.veil'), caption = document.createElement('p');
  if (veil) veil.style.display = document.getElementById('mistakes').checked ? 'block' : 'none';
  const file = figure.parentElement.previousElementSibling.textContent;
  caption.textContent = file + ' · ' + figure.querySelector('figcaption').textContent;
  copy.querySelector('figcaption').replaceWith(caption);
  stage.replaceChildren(copy);
  zoom.showModal();
}));
zoom.addEventListener('click', () => zoom.close());

window.addEventListener('beforeprint', () => document.querySelectorAll('#curves details').forEach(part => { part.open = true; }));
