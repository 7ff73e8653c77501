// The options of the server as fields of the form.

// What the page has fields of its own for.
const OWN = new Set(['language', 'word_timestamps']);

const readable = (name) => {
  const words = name.replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
};

// Help speaks of flags of the command line.
const helpOf = (option) =>
  option.help.replace(/--([a-z-]+)/g, (_, flag) => `“${readable(flag.replaceAll('-', '_'))}”`) + '.';

const shown = (value) => (Array.isArray(value) ? value.join(',') : value === null ? '' : String(value));

function boundsOf({ type, least, most }) {
  if (type !== 'integer' && type !== 'number') return '';
  // What nobody comes near is no news.
  const isLimit = (bound) => Math.abs(bound ?? Infinity) <= 100;
  if (isLimit(least) && isLimit(most)) return ` From ${least} to ${most}.`;
  if (isLimit(least) && least > 0) return ` At least ${least}.`;
  return '';
}

function element(tag, attributes, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

// The field itself, and what to send of it: undefined while it is as the server has it anyway.
function fieldOf(option) {
  const preset = shown(option.default);
  if (option.type === 'boolean') {
    const input = element('input', { type: 'checkbox', defaultChecked: option.default });
    return [input, () => (input.checked === option.default ? undefined : String(input.checked))];
  }
  if (option.choices) {
    const input = element('select', {}, ...option.choices.map((one) => new Option(one, one, one === preset, one === preset)));
    return [input, () => (input.value === preset ? undefined : input.value)];
  }
  const isNumber = option.type === 'integer' || option.type === 'number';
  const input = element('input', { placeholder: preset || (isNumber ? 'none' : ''), autocomplete: 'off', spellcheck: false });
  // "none" is no number, but what some may be.
  if (isNumber && !(option.nullable && preset)) {
    input.type = 'number';
    input.step = option.type === 'integer' ? '1' : 'any';
    if (option.least !== undefined) input.min = option.least;
    if (option.most !== undefined) input.max = option.most;
  } else {
    input.type = 'text';
    if (isNumber) input.pattern = '\\s*(none|-?\\d*[.]?\\d+)\\s*';
  }
  return [input, () => input.value.trim() || undefined];
}

/// Fills `place` with the options and returns a function that lists what was changed: [name, text].
export function showOptions(place, options) {
  const groups = new Map();
  const fields = [];
  for (const option of options) {
    if (OWN.has(option.name)) continue;
    const [input, read] = fieldOf(option);
    input.id = `option-${option.name}`;
    const help = element('span', { id: `${input.id}-help`, className: 'note' }, helpOf(option) + boundsOf(option));
    input.setAttribute('aria-describedby', help.id);
    const label = element('label', { htmlFor: input.id }, readable(option.name));
    const isCheck = input.type === 'checkbox';
    const row = element('p', { className: isCheck ? 'check' : '' }, ...(isCheck ? [input, label] : [label, input]), help);
    if (!groups.has(option.group)) groups.set(option.group, []);
    groups.get(option.group).push(row);
    fields.push([option.name, read]);
  }
  place.replaceChildren(
    ...[...groups].map(([name, rows]) =>
      element('fieldset', {}, element('legend', {}, name.replace(/ \(.*\)$/, '')), ...rows)),
  );
  return () => fields.map(([name, read]) => [name, read()]).filter(([, value]) => value !== undefined);
}
